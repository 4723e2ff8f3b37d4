package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// An interrupter interrupts its session as soon as the cell has its execution count,
// before it is compiled.
type interrupter struct {
	sinks.Discard
	s *Session
}

func (i interrupter) Started(int) { i.s.Interrupt() }

// TestInterruptBeforeCompile: a cell that is interrupted before it is compiled does not run, and the next one runs.
func TestInterruptBeforeCompile(t *testing.T) {
	s := newTestSession(t)
	r := s.Execute(t.Context(), output.Request{Code: "ran := true\nfor {}", StoreHistory: true}, interrupter{s: s})
	if r.Error == nil || r.Error.Name != "Interrupted" {
		t.Errorf("status %s, %v", r.Status, r.Error)
	}
	if got, want := show(t, s, "1 + 1"), "[result text/plain]\n2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFailedLoadLeavesNothing: a cell that does not link leaves the worker process unchanged for the next cell.
func TestFailedLoadLeavesNothing(t *testing.T) {
	s := newTestSession(t)
	show(t, s, "kept := []string{\"a\"}")
	if got := show(t, s, "func missing() int\nmissing()"); got == "" {
		t.Error("a function without a body is no error")
	}
	if got, want := show(t, s, "kept"), "[result text/plain]\n[\"a\"]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// workerPID returns the process ID of the session's worker process.
func workerPID(s *Session) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.worker.PID()
}

// interruptAfter runs a cell and interrupts it once it has printed text.
func interruptAfter(t *testing.T, s *Session, text, code string) *transcript {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{trigger: text, action: func() { go s.Interrupt() }}
	s.Execute(ctx, output.Request{Code: code, StoreHistory: true}, tr)
	if ctx.Err() != nil {
		t.Fatalf("the cell hangs: %s\n%s", code, tr.text())
	}
	return tr
}

// TestInterruptAfterEnd: interrupts when no cell runs end nothing.
func TestInterruptAfterEnd(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "kept := 7")
	pid := workerPID(s)
	tr := interruptAfter(t, s, "looping", "fmt.Println(\"looping\")\nfor {}")
	before := tr.text()
	for range 5 {
		s.Interrupt()
	}
	mustContain(t, execute(t, s, "kept"), "7")
	if got := tr.text(); got != before {
		t.Errorf("an interrupt without a cell said: %s", strings.TrimPrefix(got, before))
	}
	if workerPID(s) != pid {
		t.Error("there is another worker")
	}
}

// TestInterruptedSleep: a goroutine that sleeps when it is interrupted is
// stopped when it wakes up. The sleep must last longer than the interrupt takes.
func TestInterruptedSleep(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "said := make(chan string, 10)")
	const code = "defer func() { said <- \"deferred later\" }()\nfmt.Println(\"begun\")\ntime.Sleep(%d)\nsaid <- \"never\""
	left := false
	for d := 400 * time.Millisecond; !left && d < testTimeout; d *= 2 {
		execute(t, s, "for len(said) > 0 { <-said }")
		tr := interruptAfter(t, s, "begun", fmt.Sprintf(code, d))
		left = strings.Contains(tr.text(), "its goroutine is blocked (sleep): when something wakes the goroutine")
	}
	if !left {
		t.Error("the goroutine was stopped while it slept")
	}
	mustContain(t, execute(t, s, "fmt.Println(<-said, len(said))"), "deferred later 0")
}

// TestNoDiversionInDeferredFunction: a goroutine that is blocked at an interrupt continues before its return address is
// changed, and a signal stops it. Its return address is then that of a call in a deferred function, and stays as it is.
func TestNoDiversionInDeferredFunction(t *testing.T) {
	s := newTestSession(t)
	giveHelpers(t, s)
	execute(t, s, `import _ "unsafe"

//go:linkname aroundDiversion github.com/perijove/perijove/kernel/internal/worker.aroundDiversion
var aroundDiversion func() func()

gate, stopped, diverted := make(chan bool), make(chan bool), make(chan bool)
ended := make(chan string, 1)
aroundDiversion = func() func() {
	aroundDiversion = nil
	close(gate)
	<-stopped
	return func() { close(diverted) }
}`)
	interruptAfter(t, s, "begun", `func() {
	defer func() {
		how := "in the middle"
		defer func() { ended <- how }()
		close(stopped)
		<-diverted
		how = "at its end"
	}()
	when("chan receive", func() { fmt.Println("begun") })
	<-gate
	for {}
}()`)
	mustContain(t, execute(t, s, "fmt.Println(\"the deferred function ended\", <-ended)"), "the deferred function ended at its end")
}

// TestInterruptLeavesStartedGoroutines: an interrupt stops the cell's goroutine, and neither the goroutines that the
// cell has started nor their deferred functions.
func TestInterruptLeavesStartedGoroutines(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "running, interrupted := make(chan bool, 8), make(chan bool)\nended := make(chan string, 8)")
	interruptAfter(t, s, "begun", `work := func(how string, wait func()) {
	defer func() { ended <- how + " " + fmt.Sprint(recover()) }()
	defer func() {
		running <- true
		wait()
		panic("last line")
	}()
	if how == "exits" {
		runtime.Goexit()
	}
}
spin := func() {
	for {
		select {
		case <-interrupted:
			return
		default:
		}
	}
}
for _, how := range []string{"returns", "exits"} {
	go work(how, func() { <-interrupted })
	go work(how, spin)
}
for range 4 {
	<-running
}
fmt.Println("begun")
for {}`)
	execute(t, s, "close(interrupted)")
	mustContain(t, execute(t, s, `count := map[string]int{}
for range 4 {
	count[<-ended]++
}
fmt.Println(count)`), "map[exits last line:2 returns last line:2]")
}

// TestInterruptOffersRestart: a goroutine that stays blocked is reported by
// the next interrupt, until it has ended.
func TestInterruptOffersRestart(t *testing.T) {
	s := newTestSession(t)
	giveHelpers(t, s)
	execute(t, s, "kept := 7")
	execute(t, s, "ch := make(chan int)")
	pid := workerPID(s)
	tr := interruptAfter(t, s, "begun", "when(\"chan receive\", func() { fmt.Println(\"begun\") })\n<-ch")
	s.Interrupt()
	eventually(t, "the offer", func() bool { return strings.Contains(tr.text(), "%restart") })
	mustContain(t, tr.text(), "still blocked", "kept (cell 1), ch (cell 2)", "%replay then runs cells 1, 2 again")
	mustContain(t, execute(t, s, "ch <- 1\nkept"), "7")
	if workerPID(s) != pid {
		t.Error("there is another worker")
	}
	mustContain(t, execute(t, s, "%restart"), "started a new process for the cells", "kept (cell 1)")
	mustContain(t, execute(t, s, "%replay -without 4\nkept"), "Cell [1]", "the changes of Cell [4] to ch, because %replay -without left the cell out", "7")
}

// TestLaterInterruptEndsProcess: if the first interrupt does not end a cell, a later one ends the worker process.
func TestLaterInterruptEndsProcess(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "kept := 7")
	done := make(chan bool)
	pid := workerPID(s)
	tr := &transcript{trigger: "stopping", action: func() {
		go func() {
			awaitStopped(t, pid)
			for {
				s.Interrupt()
				select {
				case <-done:
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
		}()
	}}
	reply := s.Execute(t.Context(), output.Request{Code: "fmt.Println(\"stopping\")\nsyscall.Kill(os.Getpid(), syscall.SIGSTOP)\nselect {}", StoreHistory: true}, tr)
	close(done)
	if reply.Error == nil || !strings.Contains(reply.Error.Value, "the second interrupt ended it") {
		t.Errorf("%+v", reply.Error)
	}
	mustContain(t, execute(t, s, "%replay\nkept"), "7")
}
