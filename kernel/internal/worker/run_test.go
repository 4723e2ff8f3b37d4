package worker

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// TestInterruptBeforeRun: a cell that is interrupted while it is loaded does
// not begin.
func TestInterruptBeforeRun(t *testing.T) {
	w := &worker{}
	x := newExecution(1)
	w.cell.Store(x)
	w.interrupt()
	x.call(nil, &link.Loaded{Entry: func() { t.Error("the cell runs") }}, nil)
	if o := <-x.done; o.How != control.Interrupted {
		t.Errorf("it ended as %q", o.How)
	}
}

// TestInterruptAfterRun: an interrupt after the end of a cell stops no goroutine.
func TestInterruptAfterRun(t *testing.T) {
	w := &worker{}
	x := newExecution(1)
	w.cell.Store(x)
	x.call(w, &link.Loaded{}, nil)
	w.interrupt()
	if o := <-x.done; o.How != control.Returned {
		t.Errorf("it ended as %q", o.How)
	}
	if preempt.Pending(x.g.Load()) {
		t.Error("a goroutine is still aimed at")
	}
}
