package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/exectrace"
)

// TestTracedCell checks that a timeline names lines of cells, also of functions that
// children run, and that it has a pool of an earlier cell and a child that is killed.
func TestTracedCell(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, `import "github.com/perijove/perijove/lib/mp"
func nap(n int) int {
	time.Sleep(time.Duration(n) * time.Millisecond)
	return n
}
func send(c chan int) {
	time.Sleep(20 * time.Millisecond)
	c <- 1
}
func die(int) int {
	time.Sleep(time.Millisecond)
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
pool, err := mp.NewPool(mp.Processes, mp.Workers(2))`)
	execute(t, s, `%%trace kept
c := make(chan int)
go send(c)
<-c
mp.Map[int](ctx, pool, nap, []int{20, 20, 20, 20})
call, _ := mp.Go[int](ctx, mp.Processes, die, 0)
call.Result(ctx)
`)
	tr, err := exectrace.Read(filepath.Join(s.cfg.Dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	text := tr.String()
	mustContain(t, text, "send (", "incomplete: process ")
	waits := ""
	for _, p := range tr.Processes {
		for _, g := range p.Goroutines {
			for _, r := range g.Reasons() {
				waits += r.What + "\n"
			}
		}
	}
	mustContain(t, waits, "sleep at Cell [1] line 7", "chan receive at Cell [2] line 4", "sleep at Cell [1] line 3")
	if len(tr.Processes) != 4 {
		t.Errorf("%d processes:\n%s", len(tr.Processes), text)
	}
	tasks := map[int]bool{}
	for _, p := range tr.Processes[1:] {
		for _, g := range p.Goroutines {
			for _, span := range g.Spans {
				if span.Kind == exectrace.Task && strings.HasSuffix(span.Name, "nap") {
					tasks[span.Index] = true
				}
			}
		}
	}
	if len(tasks) != 4 {
		t.Errorf("the tasks are %v:\n%s", tasks, text)
	}
	for _, g := range tr.Processes[0].Goroutines {
		if !strings.Contains(g.Title(), "cell.2") && !strings.Contains(g.Title(), "send") {
			t.Errorf("%s is listed as a goroutine of the cell", g.Name)
		}
	}
	for _, a := range tr.Arrows {
		if a.To.At < a.From.At {
			t.Errorf("the effect of %+v is before its cause", a)
		}
	}
	if files, err := os.ReadDir(filepath.Join(s.cfg.Dir, "kept")); err != nil || len(files) != 5 {
		t.Errorf("the folder has %v, %v; want 4 traces and the manifest", files, err)
	}
}

// TestTraceOfPanic checks that a timeline names the goroutine of a cell that panics before any stack in the trace shows
// its code.
func TestTraceOfPanic(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%%trace kept\npanic(1)")
	tr, err := exectrace.Read(filepath.Join(s.cfg.Dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	text := tr.String()
	if mustContain(t, text, "process "); strings.Contains(text, "runtime.main") || !strings.Contains(text, "the cell (") && !strings.Contains(text, "cell.1 (") {
		t.Error(text)
	}
}
