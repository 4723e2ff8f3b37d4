package session

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// An interrupter interrupts its session as soon as the cell has its number:
// before it is compiled.
type interrupter struct {
	quiet
	s *Session
}

func (i interrupter) Started(int) { i.s.Interrupt() }

// TestInterruptBeforeCompile: the cell does not run, and the next one does.
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

// TestFailedLoadLeavesNothing: after an object that does not link, the next
// one finds everything as it was.
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
