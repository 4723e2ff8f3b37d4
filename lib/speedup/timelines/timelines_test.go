package timelines

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/speedup"
	"github.com/perijove/perijove/lib/speedup/pools"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

func nap(ms int) int {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return ms
}

func work(p *mp.Pool) error {
	_, err := mp.Map[int](context.Background(), p, nap, []int{2, 2, 2, 2})
	return err
}

// TestTimelineOfEachPoint records goroutines and processes, and compares the number of
// workers that ran tasks.
func TestTimelineOfEachPoint(t *testing.T) {
	t.Cleanup(func() {
		if err := pools.CloseAll(); err != nil {
			t.Error(err)
		}
	})
	opts := speedup.Options{Workers: []int{1, 2}, Rounds: 1, Record: Record}
	res, err := speedup.Measure(context.Background(), opts, pools.Case(mp.Goroutines, work), pools.Case(mp.Processes, work))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"goroutines", "processes"} {
		for _, workers := range opts.Workers {
			timeline, err := res.Timeline(name, workers)
			if err != nil {
				t.Fatal(err)
			}
			text := timeline.String()
			if n := strings.Count(text, " tasks, ") + strings.Count(text, " task, "); n < 1 || n > workers || workers == 1 && !strings.Contains(text, ": 4 tasks, ") {
				t.Errorf("%s, %d workers: %d of them have tasks:\n%s", name, workers, n, text)
			}
			if n := strings.Count(text, "child "); name == "processes" && (n < 1 || n > workers) { // one may do all tasks
				t.Errorf("%d workers: the children are\n%s", workers, text)
			}
			if _, err := png.Decode(bytes.NewReader(timeline.(*Timeline).PNG())); err != nil {
				t.Errorf("%s, %d workers: %v", name, workers, err)
			}
			if len(timeline.HTML()) > maxHTML {
				t.Errorf("%s, %d workers: %d bytes", name, workers, len(timeline.HTML()))
			}
		}
	}
	if n := strings.Count(res.HTML(), "<details>"); n != 4 {
		t.Errorf("%d timelines below the table", n)
	}
}

// TestRecordedTwice checks that a measurement in a process that is already recorded
// succeeds, and notes why timelines are missing.
func TestRecordedTwice(t *testing.T) {
	err := mp.Trace(t.TempDir(), func() error {
		opts := speedup.Options{Workers: []int{1}, Rounds: 1, Record: Record}
		res, err := speedup.Measure(context.Background(), opts, speedup.Case{Run: func(int) error { nap(1); return nil }})
		if err == nil && !strings.Contains(res.String(), "Runs were not recorded: mp: cannot start a trace: this process is already being traced") {
			t.Errorf("the result is\n%v", res)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLargeTimeline checks that the picture of many states becomes an image without
// tooltips.
func TestLargeTimeline(t *testing.T) {
	p := &exectrace.Process{PID: 1, First: true, End: time.Second}
	recording := &exectrace.Trace{Cores: 2, Length: time.Second, Processes: []*exectrace.Process{p}}
	const step = 5 * time.Millisecond
	for id := range 70 {
		g := &exectrace.Goroutine{Process: p, ID: int64(id), Name: "main.work"}
		for at := time.Duration(0); at < time.Second; at += step {
			g.States = append(g.States,
				exectrace.State{Kind: exectrace.Running, Begin: at, End: at + step/2},
				exectrace.State{Kind: exectrace.Blocked, Reason: "select", Begin: at + step/2, End: at + step})
		}
		p.Goroutines = append(p.Goroutines, g)
	}
	timeline := newTimeline(recording)
	if n := len(timeline.HTML()); n > maxHTML || strings.Contains(timeline.HTML(), "<i title") || !strings.Contains(timeline.HTML(), "<img") {
		t.Errorf("%d bytes", n)
	}
	if !strings.Contains(timeline.String(), "picture: not drawn: 10 goroutines") {
		t.Errorf("the text is\n%s", timeline)
	}
}
