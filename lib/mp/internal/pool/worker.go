package pool

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// A worker runs batches in a child process, or in a goroutine if child is nil. Pool.mu
// guards the fields below the line.
type worker struct {
	p       *Pool
	child   *process.Child
	budgets protocol.BudgetPage
	defined map[process.Definition]uint32 // numbers of functions in the child; used only by feed
	room    []byte                        // memory of the last frame, for reuse
	fed     chan struct{}                 // closed when feed has ended
	least   int                           // least depth of the tasks that a helper takes
	depth   atomic.Int32                  // depth of the task that runs, if in a goroutine
	labels  context.Context               // profiler labels that identify goroutines that the task starts
	label   unsafe.Pointer                // the labels as the runtime has them

	// ---
	inflight     []*inflightBatch // its batches, in order
	next         uint64           // id of the last batch
	tasks        int              // number of tasks that it was given
	done         int              // number of tasks that it has done
	gone         bool
	worked       bool        // it died after it had begun a task
	initializing bool        // it died after it had begun its initializer
	ready        bool        // it has started, and its initializer has succeeded
	overdue      runningTask // the task because of which it is killed
	sleep
}

// spent reports whether w has been given limit tasks, if there is a limit.
func (w *worker) spent(limit int) bool { return limit > 0 && w.tasks >= limit }

// receiveResults receives results until the child is gone. Then it handles the tasks
// that are left, and starts a replacement.
func (w *worker) receiveResults() {
	broken := w.child.Listen(w.receive)
	if broken != nil {
		w.child.KillFor(broken)
	}
	p := w.p
	p.mu.Lock()
	w.gone = true
	delete(p.workers, w)
	p.wakeAllLocked()
	p.mu.Unlock()
	w.child.AwaitEnd(broken)
	<-w.fed // feed may have been about to send a batch
	exit := w.child.Close()
	w.recoverTasks(exit)
	w.budgets.Unmap()
	w.replace(exit)
	w.child.Flushed()
}

// receive handles one reply.
func (w *worker) receive(fr protocol.Frame) error {
	if fr.Kind == protocol.FrameReady {
		return w.initialized(nil)
	}
	r, err := protocol.ParseReply(fr.Body)
	if err != nil {
		return err
	}
	if fr.Id == 0 {
		return w.initialized(r)
	}
	p := w.p
	p.mu.Lock()
	var f *inflightBatch
	for _, g := range w.inflight {
		if g.id == fr.Id {
			f = g
		}
	}
	bad := f == nil || f.delivered+r.Done > f.chunk.size()
	p.mu.Unlock()
	if bad {
		return failure.ErrMalformed
	}
	p.done.Add(int64(r.Done))
	if err := f.chunk.deliver(f.delivered, r); err != nil {
		return err
	}
	p.delivered(w, f, r.Done, r.Elapsed, r.Last)
	return nil
}

// initialized handles the reply of the initializer, or, if r is nil, the message that
// the child is ready for it.
func (w *worker) initialized(r *protocol.Reply) error {
	if r != nil && len(r.Errs) > 0 {
		err := codec.DecodeError(r.Errs[0].Text)
		w.p.breakDown(initializerError(err))
		return nil
	}
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if r != nil || w.p.o.Initializer == nil {
		w.ready, w.p.failed.starting = true, 0
	}
	return nil
}

// delivered counts n tasks of f, which took the time elapsed, as done.
func (p *Pool) delivered(w *worker, f *inflightBatch, n int, elapsed time.Duration, last bool) {
	p.mu.Lock()
	f.delivered += n
	w.done += n
	if n > 0 {
		p.failed = deaths{}
	}
	p.measured(f.chunk.state(), n, elapsed)
	var rest *chunk
	lost := false
	if last {
		w.removeInflightLocked(f)
		if f.delivered < f.n { // a task ended the goroutine that ran the batch
			rest = f.chunk.part(f.delivered, f.n)
			lost = p.handBackLocked(rest)
		}
	}
	p.wakeLocked(w)
	if rest != nil {
		p.wakeNextLocked()
	}
	p.mu.Unlock()
	if lost {
		rest.fail(0, rest.size(), p.why(rest.state()))
	}
}

func (w *worker) kill() {
	if w.child != nil {
		_ = w.child.Kill()
	}
}

func initializerError(err error) error {
	return failure.Wrap("the pool's initializer failed", err)
}
