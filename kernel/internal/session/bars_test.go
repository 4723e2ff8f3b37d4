package session

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestLongMapsHaveBars: a call of mp.Map, or a measurement, that takes more than a
// second has a progress bar, which disappears at the end. A short call has none, and neither has a call with its own
// progress report. In a console, the bar is a line.
func TestLongMapsHaveBars(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, `import "github.com/perijove/perijove/lib/mp"
import "github.com/perijove/perijove/lib/speedup"
pool, err := mp.NewPool(mp.Goroutines, mp.Workers(2))
func wait(ms int) int { time.Sleep(time.Duration(ms) * time.Millisecond); return ms }`)
	run := func(code string, console bool) string {
		t.Helper()
		tr := &transcript{}
		req := output.Request{StoreHistory: true, Code: code, AllowStdin: console}
		if reply := s.Execute(t.Context(), req, tr); reply.Status != output.OK {
			t.Fatalf("%s: %s", code, tr.text())
		}
		return tr.text()
	}
	if text := run(`mp.Map[int](ctx, pool, wait, []int{1, 2, 3})`, false); strings.Contains(text, "tasks") {
		t.Errorf("a short Map shows %s", text)
	}
	long := `ys, err := mp.Map[int](ctx, pool, wait, []int{5000, 1, 2})
fmt.Println("then", len(ys), err)`
	text := run(long, false)
	mustContain(t, text, "2 of 3  tasks, ", "[removed]\n[stdout]\nthen 3 <nil>")
	if text := run(strings.Replace(long, "2}", "2}, mp.Progress(func(done, total int) {})", 1), false); strings.Contains(text, "tasks") {
		t.Errorf("a Map that reports by itself shows %s", text)
	}
	text = run(long, true)
	mustContain(t, text, "\r[", "2 of 3  tasks, ", "then 3 <nil>")
	if strings.Contains(text, "[display") {
		t.Errorf("a console is shown %s", text)
	}
	mustContain(t, run(`speedup.Measure(ctx, speedup.Options{Workers: []int{1}, Rounds: 3, Serial: func() error { wait(900); return nil }},
	speedup.Case{Name: "c", Run: func(int) error { _, err := mp.Map[int](ctx, pool, wait, []int{900}); return err }})`, false), " of 9  runs, ")
}

// TestDeadlockBesideBar: a progress bar does not prevent the detection of a deadlock.
func TestDeadlockBesideBar(t *testing.T) {
	s := newTestSession(t)
	mustContain(t, execute(t, s, `import "github.com/perijove/perijove/lib/speedup"
runs := 0
speedup.Measure(context.Background(), speedup.Options{Workers: []int{1}}, speedup.Case{Name: "c", Run: func(int) error {
	if runs++; runs == 3 {
		<-make(chan int)
	}
	time.Sleep(time.Second)
	return nil
}})`), "2 of ", "[error Deadlock]")
}
