package exectrace_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// program builds testdata/schedule once.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "schedule")
	if out, err := exec.Command("go", "build", "-o", name, "./testdata/schedule").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

// record runs the program and reads its recording.
func record(t *testing.T, program string, args ...string) *exectrace.Trace {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(program, append([]string{folder}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tr, err := exectrace.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

const unit = 20 * time.Millisecond // of testdata/schedule

// goroutine returns the goroutine of a process whose name ends in name.
func goroutine(t *testing.T, p *exectrace.Process, name string) *exectrace.Goroutine {
	t.Helper()
	var names []string
	for _, g := range p.Goroutines {
		if strings.HasSuffix(g.Name, name) {
			return g
		}
		names = append(names, g.Name)
	}
	t.Fatalf("%s has no goroutine %s, but %q", p.Name(), name, names)
	return nil
}

// wait returns the longest wait of a goroutine for a reason.
func wait(t *testing.T, g *exectrace.Goroutine, reason string) exectrace.State {
	t.Helper()
	var longest exectrace.State
	for _, s := range g.States {
		if s.Kind == exectrace.Blocked && s.Reason == reason && s.End-s.Begin > longest.End-longest.Begin {
			longest = s
		}
	}
	if longest.End == 0 {
		t.Fatalf("%s never waits for %q: %v", g.Name, reason, g.Reasons())
	}
	return longest
}

// span returns the only span of a kind.
func span(t *testing.T, g *exectrace.Goroutine, kind exectrace.SpanKind) exectrace.Span {
	t.Helper()
	var found []exectrace.Span
	for _, s := range g.Spans {
		if s.Kind == kind {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has the spans %v, want one of kind %d", g.Name, g.Spans, kind)
	}
	return found[0]
}

// arrow returns the only arrow of a kind from one process to another, or, if from is nil,
// from any.
func arrows(tr *exectrace.Trace, kind exectrace.ArrowKind) (list []exectrace.Arrow) {
	for _, a := range tr.Arrows {
		if a.Kind == kind {
			list = append(list, a)
		}
	}
	return list
}

// TestKnownSchedule compares the timeline of a program with its schedule, event by event.
func TestKnownSchedule(t *testing.T) {
	tr := record(t, program(t))
	if len(tr.Processes) != 4 || !tr.Processes[0].First || len(tr.Problems) > 0 {
		t.Fatalf("%d processes, problems %q", len(tr.Processes), tr.Problems)
	}
	main, child := tr.Processes[0], tr.Processes[1]
	checkGoroutines(t, tr, main)
	checkLock(t, tr, main, child)
	checkQueue(t, tr, main, child)
	checkPool(t, tr)
	checkOrder(t, tr)
}

// checkGoroutines checks the waits for a channel and for a sync.Mutex.
func checkGoroutines(t *testing.T, tr *exectrace.Trace, p *exectrace.Process) {
	receiver := wait(t, goroutine(t, p, "goroutines.func1"), "chan receive")
	if d := receiver.End - receiver.Begin; d < unit/2 || receiver.At.String() != "main.go:73" {
		t.Errorf("the receiver waits for %v at %v", d, receiver.At)
	}
	locker := goroutine(t, p, "goroutines.func2")
	locked := wait(t, locker, "sync")
	if d := locked.End - locked.Begin; d < unit/2 || locked.At.String() != "main.go:76" {
		t.Errorf("the locker waits for %v at %v", d, locked.At)
	}
	if got := locker.Created.Line.String(); got != "main.go:66" {
		t.Errorf("the locker was started at %s", got)
	}
	if locked.Begin < receiver.End {
		t.Error("the locker begins before the receiver has ended")
	}
	woken := map[string]bool{}
	for _, a := range arrows(tr, exectrace.Wakes) {
		if a.To.Goroutine != nil && a.From.Goroutine != nil {
			woken[a.From.Goroutine.Title()+" "+a.To.Goroutine.Title()+" "+a.What] = true
		}
	}
	from := goroutine(t, p, "main.main").Title()
	for _, to := range []string{goroutine(t, p, "goroutines.func1").Title() + " chan receive", locker.Title() + " sync"} {
		if !woken[from+" "+to] {
			t.Errorf("main does not wake %s: %v", to, woken)
		}
	}
}

// checkLock checks that the child waits for the lock until the parent releases it.
func checkLock(t *testing.T, tr *exectrace.Trace, main, child *exectrace.Process) {
	holder, taker := goroutine(t, main, "main.hold"), goroutine(t, child, "main.main")
	held, waited, mine := span(t, holder, exectrace.Held), span(t, taker, exectrace.Wait), span(t, taker, exectrace.Held)
	if d := held.End - held.Begin; d < 2*unit {
		t.Errorf("the parent holds the lock for %v", d)
	}
	if d := mine.End - mine.Begin; d < unit {
		t.Errorf("the child holds the lock for %v", d)
	}
	if waited.Begin < held.Begin || waited.End < held.End || mine.Begin < held.End {
		t.Errorf("held %v to %v, waited %v to %v, taken at %v", held.Begin, held.End, waited.Begin, waited.End, mine.Begin)
	}
	if blocked := wait(t, taker, "a lock"); blocked.At.String() != "main.go:35" {
		t.Errorf("the child waits for the lock at %v", blocked.At)
	}
	passed := arrows(tr, exectrace.Unlocks)
	if len(passed) != 1 || passed[0].From.Goroutine != holder || passed[0].To.Goroutine != taker || passed[0].From.At != held.End || passed[0].To.At != mine.Begin {
		t.Errorf("the lock passes as %+v", passed)
	}
}

// checkQueue checks the value that the child puts into a queue.
func checkQueue(t *testing.T, tr *exectrace.Trace, main, child *exectrace.Process) {
	passed := arrows(tr, exectrace.Passes)
	if len(passed) != 1 || passed[0].From.Process != child || passed[0].To.Process != main || passed[0].What != "queue 1" {
		t.Fatalf("the values pass as %+v", passed)
	}
	get := goroutine(t, main, "main.main")
	if s := wait(t, get, "a value in a queue"); s.Begin > passed[0].From.At || s.At.String() != "main.go:97" {
		t.Errorf("main waits at %v from %v on, the value comes at %v", s.At, s.Begin, passed[0].From.At)
	}
}

// checkPool checks that each task of the Map ran once, in a child that had received it.
func checkPool(t *testing.T, tr *exectrace.Trace) {
	seen := map[int]int{}
	for _, p := range tr.Processes[2:] {
		first := tr.Length
		for _, a := range arrows(tr, exectrace.Tasks) {
			if a.To.Process == p {
				first = min(first, a.To.At)
			}
		}
		for _, s := range goroutine(t, p, "main.main").Spans {
			if s.Kind != exectrace.Task {
				continue
			}
			seen[s.Index]++
			if s.Name != "main.square" || s.End-s.Begin < unit/4 || s.Begin < first {
				t.Errorf("the task %+v of %s, which received its first at %v", s, p.Name(), first)
			}
		}
	}
	for i := range 8 {
		if seen[i] != 1 {
			t.Errorf("task %d ran %d times", i, seen[i])
		}
	}
	if n := len(arrows(tr, exectrace.Results)); n < 3 {
		t.Errorf("%d results", n)
	}
}

// checkOrder checks that no effect comes before its cause, and that the states of a
// goroutine neither overlap nor leave gaps.
func checkOrder(t *testing.T, tr *exectrace.Trace) {
	if len(tr.Arrows) < 10 {
		t.Errorf("only %d arrows", len(tr.Arrows))
	}
	for _, a := range tr.Arrows {
		if a.To.At < a.From.At {
			t.Errorf("the effect of %+v is before its cause", a)
		}
	}
	for _, p := range tr.Processes {
		for _, g := range p.Goroutines {
			for i, s := range g.States {
				if s.End <= s.Begin || i > 0 && s.Begin != g.States[i-1].End {
					t.Errorf("state %d of %s in %s: %+v after %+v", i, g.Title(), p.Name(), s, g.States[max(0, i-1)])
				}
			}
		}
	}
}

// TestKilledChild reads what a killed child has left, and says that it is not all.
func TestKilledChild(t *testing.T) {
	tr := record(t, program(t), "killed")
	if len(tr.Processes) != 2 || len(tr.Problems) != 1 || !strings.Contains(tr.Problems[0], "ended without closing its trace") {
		t.Errorf("%d processes, problems %q", len(tr.Processes), tr.Problems)
	}
	if text := tr.String(); !strings.Contains(text, "incomplete: process ") {
		t.Errorf("the text does not say so:\n%s", text)
	}
	if n := len(tr.Processes[0].Goroutines); n == 0 {
		t.Error("the parent has no goroutines")
	}
}

// TestRefused checks the errors of folders without a recording.
func TestRefused(t *testing.T) {
	if _, err := exectrace.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "has no recording of mp.Trace") {
		t.Errorf("an empty folder: %v", err)
	}
	folder := t.TempDir()
	for name, content := range map[string]any{
		"not JSON": nil, "another version": map[string]any{"version": 7}, "no process": map[string]any{"version": 1},
		"no file": map[string]any{"version": 1, "processes": []any{map[string]any{"pid": 1, "file": "x.trace", "first": true}}},
	} {
		b, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if content == nil {
			b = []byte("{{")
		}
		if err := os.WriteFile(filepath.Join(folder, exectrace.ManifestName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := exectrace.Read(folder); err == nil || !strings.HasPrefix(err.Error(), "exectrace: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
