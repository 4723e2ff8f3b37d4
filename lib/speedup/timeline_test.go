package speedup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A fakeTimeline has HTML of a size, and a text of many lines.
type fakeTimeline struct {
	name string
	size int
}

func (f fakeTimeline) HTML() string   { return "<b>" + f.name + strings.Repeat(" ", f.size) + "</b>" }
func (f fakeTimeline) String() string { return f.name + strings.Repeat("\nline", 20) }

// TestRecordRunsOnceMore checks that each point gets the timeline of a run after the
// rounds.
func TestRecordRunsOnceMore(t *testing.T) {
	var ran []string
	total := 0
	opts := Options{
		Workers: []int{1, 2}, Rounds: 1,
		Progress: func(done, all int) { total = all },
		Record: func(run func() error) (Timeline, error) {
			ran = append(ran, "record")
			err := run()
			return fakeTimeline{name: ran[len(ran)-1]}, err
		},
	}
	run := func(name string) func(int) error {
		return func(workers int) error {
			ran = append(ran, fmt.Sprint(name, workers))
			time.Sleep(time.Microsecond)
			return nil
		}
	}
	res, err := Measure(context.Background(), opts, Case{"a", run("a")}, Case{"b", run("b")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"record", "a1", "record", "a2", "record", "b1", "record", "b2"}
	if n := len(ran) - len(want); n < 0 || !slices.Equal(ran[n:], want) || slices.Contains(ran[:n], "record") {
		t.Errorf("ran %v, want %v at the end", ran, want)
	}
	if runs := len(ran) - 4; runs != total { // without the four "record"
		t.Errorf("%d runs, announced as %d", runs, total)
	}
	for _, name := range []string{"a", "b"} {
		for _, workers := range opts.Workers {
			if got, err := res.Timeline(name, workers); err != nil || got.(fakeTimeline).name != fmt.Sprint(name, workers) {
				t.Errorf("the timeline of %s with %d workers is %v, %v", name, workers, got, err)
			}
		}
	}
	if _, err := res.Timeline("a", 3); err == nil || !strings.Contains(err.Error(), "the run was not recorded") {
		t.Errorf("a timeline of 3 workers: %v", err)
	}
	if text := res.String(); !strings.Contains(text, "4 timelines, each of a separate run after the rounds.") ||
		!strings.Contains(text, "Timeline: b, 2 workers\n  b2\n  line\n") || !strings.Contains(text, "  and 15 more lines\n") {
		t.Errorf("the text is\n%s", text)
	}
	if page := res.HTML(); !strings.Contains(page, "<details><summary>Timeline: a, 1 worker</summary><b>a1</b></details>") {
		t.Errorf("the page is\n%s", page)
	}
}

// TestTimelinesAreBounded checks that large pictures are left out, and that the table says
// so.
func TestTimelinesAreBounded(t *testing.T) {
	r := Summarize(Options{Workers: []int{1, 2, 4}}, []string{"a"}, "serial", 4, []Round{{Before: 1, After: 1, Times: [][]time.Duration{{1, 1, 1}}}})
	for i := range r.Series[0].Points {
		r.Series[0].Points[i].Timeline = fakeTimeline{fmt.Sprint("timeline ", i), maxTimelines/2 - 200}
	}
	page := r.HTML()
	if len(page) > maxTimelines+10_000 || strings.Count(page, "<details>") != 2 || !strings.Contains(page, "1 timeline left out, because they are large") {
		t.Errorf("%d bytes, %d timelines; the end is %s", len(page), strings.Count(page, "<details>"), page[len(page)-200:])
	}
}

// TestRecordFails checks that a recording that fails leaves a result with a warning, and
// that a run that fails does not.
func TestRecordFails(t *testing.T) {
	refused := errors.New("refused")
	opts := Options{Workers: []int{1}, Rounds: 1, Record: func(func() error) (Timeline, error) { return nil, refused }}
	work := Case{"a", func(int) error { time.Sleep(time.Microsecond); return nil }}
	res, err := Measure(context.Background(), opts, work)
	if err != nil {
		t.Fatal(err)
	}
	notes := res.Notes()
	if last := notes[len(notes)-1]; !last.Warning || last.Text != "Runs were not recorded: refused." {
		t.Errorf("the notes are %+v", notes)
	}
	if _, err := res.Timeline("a", 1); !errors.Is(err, refused) {
		t.Errorf("the timeline: %v", err)
	}
	runs := 0
	work.Run = func(int) error {
		time.Sleep(time.Microsecond)
		if runs++; runs > 5 { // baseline and case to warm up, baseline, case and baseline of the round
			return refused
		}
		return nil
	}
	opts.Record = func(run func() error) (Timeline, error) { return nil, run() }
	if res, err := Measure(context.Background(), opts, work); !errors.Is(err, refused) || res != nil {
		t.Errorf("a run that fails: %v, %v", res, err)
	}
}
