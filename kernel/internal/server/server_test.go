package server

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

func TestCursor(t *testing.T) {
	code := "a😀é\nz"
	offsets := []int{0, 1, 5, 7, 8, 9}
	for points, offset := range offsets {
		if got := byteOffset(code, &points); got != offset {
			t.Errorf("byteOffset(%d) = %d, want %d", points, got, offset)
		}
		if got := codePoints(code, offset); got != points {
			t.Errorf("codePoints(%d) = %d, want %d", offset, got, points)
		}
	}
	for cursor, want := range map[int]int{-3: 0, 99: len(code)} {
		if got := byteOffset(code, &cursor); got != want {
			t.Errorf("byteOffset(%d) = %d, want %d", cursor, got, want)
		}
	}
	if got := byteOffset(code, nil); got != len(code) {
		t.Errorf("byteOffset(nil) = %d, want the end", got)
	}
	if got := codePoints(code, 99); got != len(offsets)-1 {
		t.Errorf("codePoints(99) = %d, want the end", got)
	}
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "x", false},
		{"a*", "abc\ndef", true},
		{"*def", "abc\ndef", true},
		{"*c?d*", "abc\ndef", true},
		{"a?", "a😀", true},
		{"a?", "a", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"[a]", "a", false}, // no character classes
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 5000), false},
	} {
		if got := glob(test.pattern, test.text); got != test.want {
			t.Errorf("glob(%.20q, %.20q) = %v", test.pattern, test.text, got)
		}
	}
}

func TestBoundary(t *testing.T) {
	for _, test := range []struct {
		text    string
		n, want int
	}{
		{"abcdef", 3, 3},
		{"abc", 9, 3},
		{"aé", 2, 1},
		{"a😀b", 4, 1},
		{"a😀b", 5, 5},
		{"😀", 2, 0},
		{"\x80\x80\x80\x80\x80\x80", 5, 5},
	} {
		if got := boundary([]byte(test.text), test.n); got != test.want {
			t.Errorf("boundary(%q, %d) = %d, want %d", test.text, test.n, got, test.want)
		}
	}
}

// TestFailureFollows compares the dates of requests of a front end whose clock
// is an hour fast.
func TestFailureFollows(t *testing.T) {
	arrival := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := arrival.Add(time.Hour)
	made := func(session string, date, received time.Time, layout string) *request {
		h := wire.Header{Session: session, Date: date.Format(layout)}
		return &request{Message: &wire.Message{Header: h}, received: received}
	}
	const micro, milli = "2006-01-02T15:04:05.000000Z07:00", "2006-01-02T15:04:05.000Z"
	us := time.Microsecond
	first := made("s", clock.Add(us), arrival.Add(us), micro)
	f := cellFailure{cell: first, replied: arrival.Add(50 * time.Millisecond)}
	for _, test := range []struct {
		name string
		r    *request
		want bool
	}{
		{"sent with the failed cell", made("s", clock.Add(2*us), arrival.Add(60*time.Millisecond), micro), true},
		{"sent just before", made("s", clock.Add(49*time.Millisecond+us), arrival.Add(60*time.Millisecond), micro), true},
		{"sent just after", made("s", clock.Add(50*time.Millisecond+2*us), arrival.Add(60*time.Millisecond), micro), false},
		{"just before, in milliseconds", made("s", clock.Add(49*time.Millisecond), arrival.Add(60*time.Millisecond), milli), false},
		{"well before, in milliseconds", made("s", clock.Add(40*time.Millisecond), arrival.Add(60*time.Millisecond), milli), true},
		{"another session", made("other", clock.Add(us), arrival.Add(60*time.Millisecond), micro), false},
		{"long in flight", made("s", clock.Add(us), arrival.Add(5*time.Second), micro), false},
		{"no date", &request{Message: &wire.Message{Header: wire.Header{Session: "s"}}, received: arrival}, false},
	} {
		if got := f.follows(test.r); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if (&cellFailure{}).follows(first) {
		t.Error("nothing has failed yet")
	}
}

// TestHasQueuedCell: hasQueuedCell ignores requests other than cells, and aborted cells.
func TestHasQueuedCell(t *testing.T) {
	l := newRequestQueue()
	of := func(msgType string) *request {
		return &request{Message: &wire.Message{Header: wire.Header{MsgType: msgType}}}
	}
	for _, msgType := range []string{"execute_request", "execute_request", "complete_request"} {
		l.put(t.Context(), of(msgType))
	}
	for i, want := range []bool{true, false, false} {
		l.take()
		if got := l.hasQueuedCell(); got != want {
			t.Errorf("during request %d: %v, want %v", i+1, got, want)
		}
	}
	l.put(t.Context(), of("execute_request"))
	l.put(t.Context(), of("execute_request"))
	l.abortAfter(l.take())
	if l.hasQueuedCell() {
		t.Error("an aborted cell waits")
	}
}

func TestThrottle(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(Throttle(slog.NewTextHandler(&out, nil)))
	for range 1000 {
		log.With("socket", "shell").Warn("dropped a message")
	}
	log.Warn("something else")
	text := out.String()
	if n := strings.Count(text, "dropped a message"); n != maxLinesPerPeriod {
		t.Errorf("%d lines, want %d", n, maxLinesPerPeriod)
	}
	for _, want := range []string{"something else", "suppressed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestRepeatedInterrupt: a message and a signal that arrive together are one interrupt, unless another cell has begun;
// two messages are two interrupts.
func TestRepeatedInterrupt(t *testing.T) {
	const message, signal = false, true
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, next := &request{}, &request{}
	var i interruptRecord
	for n, step := range []struct {
		after    time.Duration
		bySignal bool
		cell     *request
		repeats  bool
	}{
		{0, message, first, false},
		{time.Millisecond, signal, first, true},
		{2 * time.Millisecond, message, first, false},
		{3 * time.Millisecond, message, first, false},
		{4 * time.Millisecond, signal, next, false},
		{5 * time.Millisecond, message, next, true},
		{duplicateWindow + 4*time.Millisecond, message, next, false},
		{duplicateWindow + 5*time.Millisecond, signal, nil, false},
	} {
		if got := i.isDuplicate(start.Add(step.after), step.bySignal, step.cell); got != step.repeats {
			t.Errorf("step %d: %v", n, got)
		}
	}
}
