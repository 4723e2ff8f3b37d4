package exectrace_test

import (
	"encoding/json"
	"fmt"
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

// spans returns the spans of a kind; if name is not empty, only those with the name.
func spans(g *exectrace.Goroutine, kind exectrace.SpanKind, name string) (list []exectrace.Span) {
	for _, s := range g.Spans {
		if s.Kind == kind && (name == "" || s.Name == name) {
			list = append(list, s)
		}
	}
	return list
}

// span returns the only span of a kind.
func span(t *testing.T, g *exectrace.Goroutine, kind exectrace.SpanKind, name string) exectrace.Span {
	t.Helper()
	found := spans(g, kind, name)
	if len(found) != 1 {
		t.Fatalf("%s has the spans %v, want one of kind %d %s", g.Name, g.Spans, kind, name)
	}
	return found[0]
}

// arrows returns the arrows of a kind.
func arrows(tr *exectrace.Trace, kind exectrace.ArrowKind) (list []exectrace.Arrow) {
	for _, a := range tr.Arrows {
		if a.Kind == kind {
			list = append(list, a)
		}
	}
	return list
}

// line returns the line of testdata/schedule/main.go that has the comment.
func line(t *testing.T, comment string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/schedule/main.go")
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(b), " // "+comment+"\n")
	if !found {
		t.Fatalf("no line has the comment %q", comment)
	}
	return fmt.Sprintf("main.go:%d", 1+strings.Count(before, "\n"))
}

// A schedule is a recording of the program, and where its functions ran.
type schedule struct {
	*testing.T
	*exectrace.Trace
	backend string
}

// TestKnownSchedule compares the timeline of a program with its schedule, event by event:
// once with functions that run in goroutines, and once with children.
func TestKnownSchedule(t *testing.T) {
	name := program(t)
	for backend, processes := range map[string]int{"goroutines": 1, "processes": 5} {
		t.Run(backend, func(t *testing.T) {
			s := schedule{t, record(t, name, backend), backend}
			if len(s.Processes) != processes || !s.Processes[0].First || len(s.Problems) > 0 {
				t.Fatalf("%d processes, problems %q", len(s.Processes), s.Problems)
			}
			s.checkGoroutines()
			s.checkLocks()
			s.checkQueues()
			s.checkPool()
			s.checkOrder()
		})
	}
}

// runner returns the goroutine that ran a function: the one with a span of that function.
func (s schedule) runner(function string) *exectrace.Goroutine {
	s.Helper()
	for _, p := range s.Processes {
		for _, g := range p.Goroutines {
			if len(spans(g, exectrace.Task, function)) > 0 {
				return g
			}
		}
	}
	s.Fatalf("no goroutine ran %s:\n%v", function, s.Trace)
	return nil
}

// holders returns the goroutines of the function hold in the order of their start. These
// goroutines hold the two locks.
func (s schedule) holders() (list []*exectrace.Goroutine) {
	s.Helper()
	for _, g := range s.Processes[0].Goroutines {
		if g.Name == "main.hold" {
			list = append(list, g)
		}
	}
	if len(list) != 2 {
		s.Fatalf("%d goroutines hold a lock:\n%v", len(list), s.Trace)
	}
	return list
}

// checkGoroutines checks the waits for a channel and for a sync.Mutex.
func (s schedule) checkGoroutines() {
	main := s.Processes[0]
	receiver := wait(s.T, goroutine(s.T, main, "goroutines.func1"), "chan receive")
	if d := receiver.End - receiver.Begin; d < unit || receiver.At.String() != line(s.T, "receive") {
		s.Errorf("the receiver waits for %v at %v", d, receiver.At)
	}
	locker := goroutine(s.T, main, "goroutines.func2")
	locked := wait(s.T, locker, "sync")
	if d := locked.End - locked.Begin; d < unit || locked.At.String() != line(s.T, "lock a sync.Mutex") {
		s.Errorf("the locker waits for %v at %v", d, locked.At)
	}
	if got := locker.Created.Line.String(); got != line(s.T, "start the locker") {
		s.Errorf("the locker was started at %s", got)
	}
	if locked.Begin < receiver.End {
		s.Error("the locker begins before the receiver has ended")
	}
	woken := map[string]bool{}
	for _, a := range arrows(s.Trace, exectrace.Wakes) {
		if a.To.Goroutine != nil && a.From.Goroutine != nil {
			woken[a.From.Goroutine.Title()+" "+a.To.Goroutine.Title()+" "+a.What] = true
		}
	}
	from := goroutine(s.T, main, "main.main").Title()
	for _, to := range []string{goroutine(s.T, main, "goroutines.func1").Title() + " chan receive", locker.Title() + " sync"} {
		if !woken[from+" "+to] {
			s.Errorf("main does not wake %s: %v", to, woken)
		}
	}
}

// checkLocks checks that functions wait for the locks until their holders release them.
func (s schedule) checkLocks() {
	holders := s.holders()
	passed := arrows(s.Trace, exectrace.Unlocks)
	if len(passed) != 2 {
		s.Fatalf("the locks pass as %+v", passed)
	}
	s.checkLock(passed[0], holders[0], s.runner("main.take"), "take the lock")
	s.checkLock(passed[1], holders[1], s.runner("main.read"), "take the lock to read")
}

func (s schedule) checkLock(passed exectrace.Arrow, holder, taker *exectrace.Goroutine, comment string) {
	s.Helper()
	held, waited, mine := span(s.T, holder, exectrace.Held, ""), span(s.T, taker, exectrace.Wait, "a lock"), span(s.T, taker, exectrace.Held, "")
	if d := held.End - held.Begin; d < 2*unit {
		s.Errorf("%s holds the lock for %v", holder.Title(), d)
	}
	if d := mine.End - mine.Begin; d < unit {
		s.Errorf("%s holds the lock for %v", taker.Title(), d)
	}
	if waited.Begin < held.Begin || waited.End < held.End || mine.Begin < held.End || waited.End-waited.Begin < 2*unit {
		s.Errorf("held %v to %v, waited %v to %v, taken at %v", held.Begin, held.End, waited.Begin, waited.End, mine.Begin)
	}
	if blocked := wait(s.T, taker, "a lock"); blocked.At.String() != line(s.T, comment) {
		s.Errorf("%s waits for the lock at %v", taker.Title(), blocked.At)
	}
	if passed.From.Goroutine != holder || passed.To.Goroutine != taker || passed.From.At != held.End || passed.To.At != mine.Begin || passed.What != held.Name || held.Name != mine.Name {
		s.Errorf("the lock passes as %+v", passed)
	}
}

// checkQueues checks the values that the function take puts into queues and a pipe.
func (s schedule) checkQueues() {
	taker, get := s.runner("main.take"), goroutine(s.T, s.Processes[0], "main.main")
	passed := arrows(s.Trace, exectrace.Passes)
	if len(passed) != 4 {
		s.Fatalf("the values pass as %+v", passed)
	}
	last := span(s.T, taker, exectrace.Held, "").End
	for i, name := range []string{"queue 1", "queue 2", "queue 2", "queue 3"} {
		a := passed[i]
		if a.From.Goroutine != taker || a.To.Goroutine != get || a.What != name || a.From.At < last || a.To.At < a.From.At {
			s.Errorf("value %d passes as %+v, after %v", i, a, last)
		}
		last = a.From.At
	}
	if w := wait(s.T, get, "a value in a queue"); w.Begin > passed[0].From.At || w.At.String() != line(s.T, "get the first value") {
		s.Errorf("main waits at %v from %v on, the value comes at %v", w.At, w.Begin, passed[0].From.At)
	}
	if at := wait(s.T, taker, "room in a queue").At.String(); at != line(s.T, "wait for room") {
		s.Errorf("take waits for room at %s", at)
	}
	room := spans(taker, exectrace.Wait, "room in a queue")
	begin, end := room[0].Begin, room[len(room)-1].End
	if begin < passed[1].From.At || end-begin < unit || passed[1].To.At-begin < unit {
		s.Errorf("take waits for room from %v to %v; the values pass as %+v", begin, end, passed)
	}
}

// checkPool checks that each task of the Map ran once, after its worker had received
// tasks, and that main received the results after the tasks had ended.
func (s schedule) checkPool() {
	seen := map[int]int{}
	var end time.Duration
	for _, p := range s.Processes {
		for _, g := range p.Goroutines {
			for _, task := range spans(g, exectrace.Task, "main.square") {
				seen[task.Index]++
				end = max(end, task.End)
				if first := s.firstTasks(g); task.End-task.Begin < unit/4 || task.Begin < first {
					s.Errorf("the task %+v of %s, which received its first at %v", task, g.Title(), first)
				}
			}
		}
	}
	for i := range 8 {
		if seen[i] != 1 {
			s.Errorf("task %d ran %d times", i, seen[i])
		}
	}
	results := arrows(s.Trace, exectrace.Results)
	if least := map[string]int{"goroutines": 4, "processes": 5}[s.backend]; len(results) < least {
		s.Errorf("%d results: %+v", len(results), results)
	}
	double := span(s.T, s.runner("main.double"), exectrace.Task, "main.double")
	if last := results[len(results)-1]; last.From.At < double.End || double.Begin < end {
		s.Errorf("the last results pass as %+v, the last task ends at %v, the one before at %v", last, double.End, end)
	}
}

// firstTasks returns when a goroutine received its first tasks.
func (s schedule) firstTasks(g *exectrace.Goroutine) time.Duration {
	for _, a := range arrows(s.Trace, exectrace.Tasks) {
		if a.To.Goroutine == g {
			return a.To.At
		}
	}
	return s.Length
}

// checkOrder checks that no effect comes before its cause, and that the states of a
// goroutine neither overlap nor leave gaps.
func (s schedule) checkOrder() {
	if len(s.Arrows) < 10 {
		s.Errorf("only %d arrows", len(s.Arrows))
	}
	for _, a := range s.Arrows {
		if a.To.At < a.From.At {
			s.Errorf("the effect of %+v is before its cause", a)
		}
	}
	for _, p := range s.Processes {
		for _, g := range p.Goroutines {
			if strings.HasPrefix(g.Name, "runtime.") {
				s.Errorf("%s is listed", g.Title())
			}
			for i, state := range g.States {
				if state.End <= state.Begin || i > 0 && state.Begin != g.States[i-1].End {
					s.Errorf("state %d of %s in %s: %+v after %+v", i, g.Title(), p.Name(), state, g.States[max(0, i-1)])
				}
			}
		}
	}
}

// TestKilledChild checks that the recording of a killed child is read as far as possible,
// and that the trace says that a part is missing.
func TestKilledChild(t *testing.T) {
	tr := record(t, program(t), "killed")
	if len(tr.Processes) != 2 || len(tr.Problems) != 1 || !strings.Contains(tr.Problems[0], "ended before it completed its trace") {
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
