package display

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// The rate is that of the last seconds; at the end it is the average over all work.
func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	for _, c := range []struct {
		done  map[float64]int // by second
		now   float64
		total int
		last  bool
		want  string
	}{
		{nil, 0.2, 10, false, ""},
		{nil, 3, 10, false, "3.0 s"},
		{map[float64]int{0.006: 10}, 0.006, 10, false, "in 6 ms, 1.67k/s"},
		{map[float64]int{2: 4}, 2, 10, false, "2/s, 3.0 s left"},
		{map[float64]int{2: 4}, 4, 10, false, "1/s, 6.0 s left"},
		{map[float64]int{2: 5000}, 2, 2000000, false, "2.5k/s, 13 min 18 s left"},
		{map[float64]int{2: 3e6}, 2, -1, false, "1.5M/s"},
		{map[float64]int{100: 2}, 100, 4, false, "one in 50 s, 100 s left"},
		{map[float64]int{2: 10}, 2, 10, false, "in 2.0 s, 5/s"},
		{map[float64]int{2: 1}, 4, 10, true, "in 4.0 s, one in 4.0 s"},
		{map[float64]int{1: 1, 6: 6, 12: 600, 13: 700}, 13, 1000, false, "99.1/s, 3.0 s left"}, // the slow beginning no longer counts
		{map[float64]int{1000: 1}, 1000, 1e9, false, "one in 16 min 40 s, more than 1000 h left"},
		{map[float64]int{36000: 1}, 36000, 2, true, "in 10 h 00 min, one in 10 h 00 min"},
	} {
		var p Pace
		p.Set(start, 0)
		for _, second := range slices.Sorted(maps.Keys(c.done)) {
			p.Set(at(second), c.done[second])
		}
		if got := p.Progress(at(c.now), c.total, c.last).Note; got != c.want {
			t.Errorf("%v of %d at %v: %q, want %q", c.done, c.total, c.now, got, c.want)
		}
	}
}

func TestBarInNotebook(t *testing.T) {
	var got []displayhost.Message
	displayhost.SetSink(func(m displayhost.Message) error { got = append(got, m); return nil })
	defer displayhost.SetSink(nil)
	bar := NewBar("files", 1000)
	for range 1000 {
		bar.Add(1)
	}
	bar.Close()
	bar.Close()
	bar.Add(1)
	first, last := got[0], got[len(got)-1]
	if first.Kind != displayhost.KindShow || last.Kind != displayhost.KindUpdate || first.ID != last.ID || first.ID == "" {
		t.Errorf("%v and %v", first, last)
	}
	if text := last.Data["text/plain"].(string); !regexp.MustCompile(`1000 of 1000  files, in [\d.]+ m?s, `).MatchString(text) || !strings.Contains(last.Data["text/html"].(string), "<progress") {
		t.Errorf("the last is %v", last.Data)
	}
	if len(got) > 500 {
		t.Errorf("%d messages for 1000 steps", len(got))
	}
}

// In a terminal the bar replaces its line. In a file, only the last bar is written.
func TestBarAsLine(t *testing.T) {
	var terminal, file strings.Builder
	for _, out := range []func(Progress, bool){lineOutput(&terminal, true), lineOutput(&file, false)} {
		out(Progress{Done: 1, Total: 2, Note: "long"}, false)
		out(Progress{Done: 2, Total: 2}, true)
	}
	full, half := strings.Repeat("#", barWidth), strings.Repeat("#", barWidth/2)+strings.Repeat(".", barWidth/2)
	if want := "\r[" + half + "] 1 of 2  long\r[" + full + "] 2 of 2      \n"; strings.ReplaceAll(terminal.String(), " \n", "\n") != strings.ReplaceAll(want, " \n", "\n") {
		t.Errorf("terminal: %q, want %q", terminal.String(), want)
	}
	if want := "[" + full + "] 2 of 2\n"; file.String() != want {
		t.Errorf("file: %q", file.String())
	}
}

func TestTrack(t *testing.T) {
	var last displayhost.Message
	displayhost.SetSink(func(m displayhost.Message) error { last = m; return nil })
	defer displayhost.SetSink(nil)
	var got []int
	for v := range Track(slices.Values([]int{5, 6, 7}), 3) {
		got = append(got, v)
	}
	if text := last.Data["text/plain"].(string); !slices.Equal(got, []int{5, 6, 7}) || !strings.Contains(text, "3 of 3") {
		t.Errorf("%v, %q", got, text)
	}
	for i, s := range TrackSlice([]string{"a", "b", "c"}) {
		if i == 1 {
			if s != "b" {
				t.Errorf("element 1 is %q", s)
			}
			break
		}
	}
	if text := last.Data["text/plain"].(string); !strings.Contains(text, "1 of 3  in ") {
		t.Errorf("a loop that is left: %q", text)
	}
	for range Track(func(yield func(int) bool) { yield(1) }, -1) {
	}
	if html := last.Data["text/html"].(string); !strings.Contains(html, "1  in ") || strings.Contains(html, "value=") {
		t.Errorf("an unknown total: %q", html)
	}
}

func TestBarOfUnknownTotal(t *testing.T) {
	if text := (Progress{Done: 3, Total: -1, Note: "n"}).String(); text != "3  n" {
		t.Errorf("%q", text)
	}
}
