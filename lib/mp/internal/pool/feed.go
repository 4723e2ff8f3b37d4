package pool

import (
	"errors"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/queue"
)

// startWorker starts a worker process and its two goroutines: feed sends batches,
// receiveResults receives results.
func (p *Pool) startWorker() error {
	c, err := process.Spawn(p.host, p.o.Options, p.to)
	if err != nil {
		return err
	}
	w := &worker{p: p, child: c, defined: make(map[process.Definition]uint32), fed: make(chan struct{})}
	if c.Crash != nil {
		w.budgets = protocol.MapBudgetPage(c.Crash)
	}
	go c.Reap()
	p.mu.Lock()
	p.workers[w] = true
	p.mu.Unlock()
	p.running.Go(w.receiveResults)
	p.running.Go(w.feed)
	if p.o.TaskTimeout > 0 {
		p.running.Go(w.watchTasks)
	}
	return nil
}

// feed sends the worker what it needs and batches until it has to end.
func (w *worker) feed() {
	defer close(w.fed)
	if err := w.initialize(); err != nil {
		w.p.breakDown(err)
	}
	for {
		f := w.p.acquire(w)
		if f == nil {
			w.stopIdle()
			return
		}
		w.dispatch(f)
	}
}

// stopIdle has an idle worker end. One that does not was stopped. For one that
// closed its pipes receiveResults has another end, with the cause.
func (w *worker) stopIdle() {
	w.p.mu.Lock()
	gone := w.gone
	w.p.mu.Unlock()
	if !gone {
		w.child.KillLater(w.p.o.Grace, errDoesNotEnd)
		_ = w.child.Conn.Send(protocol.Frame{Kind: protocol.FrameEnd})
	}
}

var errDoesNotEnd = errors.New("mp: it did not end when it was told to")

func (w *worker) initialize() error {
	if err := w.child.Update(true); err != nil {
		return err
	}
	if in := w.p.o.Initializer; in != nil {
		w.budgets.Budget(0).Grant(1)
		w.sent(w.child.Define(in.def, 0))
		w.sent(w.child.Conn.Send(protocol.Frame{Kind: protocol.FrameTask, Body: append(protocol.AppendTaskHead(nil, 0, 0, 1), in.body...)}))
	}
	w.sendTimeout()
	return nil
}

// sent handles the outcome of sending something to the child. If the child has
// closed its end, it has ended, as a rule; what it had follows in receiveResults.
func (w *worker) sent(err error) {
	if err != nil {
		w.child.KillLater(process.ClosedPipeDelay, failure.Wrap("cannot send to it", err))
	}
}

// slot makes sure that the child knows fn as it is now, for a notebook may have
// redefined it under the same id, and returns its number there.
func (w *worker) slot(fn *function) (uint32, error) {
	if err := w.child.Update(false); err != nil {
		return 0, err
	}
	if n, ok := w.defined[fn.def]; ok {
		return n, nil
	}
	n := uint32(len(w.defined) + 1)
	w.defined[fn.def] = n
	w.sent(w.child.Define(fn.def, uint64(n)))
	return n, nil
}

// dispatch encodes an inflightBatch's arguments and sends it.
func (w *worker) dispatch(f *inflightBatch) {
	slot, err := w.slot(f.chunk.state().fn)
	var out codec.Writer
	n := 0
	if err == nil {
		out.B = append(w.room[:0], make([]byte, protocol.HeaderSize+protocol.TaskHead)...)
		err = isolateIf(!f.chunk.plainArgs(), func() (err error) {
			ends, err := queue.CollectEnds(func() (err error) {
				n, err = f.chunk.encode(&out, protocol.MaxBatchBytes)
				return err
			})
			queue.GiveEnds(ends, w.child.PID)
			return err
		})
		if err != nil {
			n = 0
		}
		w.room = protocol.Kept(out.B)
	}
	if !w.launch(f, n, err) {
		return
	}
	for _, i := range f.chunk.abandoned(n) {
		w.cancelTask(f, i)
	}
	protocol.AppendTaskHead(out.B[protocol.HeaderSize:protocol.HeaderSize], slot, 0, n)
	out.B = protocol.WithTrailer(out.B)
	w.room = protocol.Kept(out.B)
	w.sent(w.child.Conn.SendRoom(protocol.FrameTask, f.id, out.B))
}

// isolateIf is f(), in its own goroutine if it calls users' code.
func isolateIf(foreign bool, f func() error) error {
	if foreign {
		return failure.Isolate(f)
	}
	return f()
}

// launch makes the first n tasks of f the worker's, refuses the next one because
// of err if n is 0, and hands back the rest. It reports whether there is
// something to send.
func (w *worker) launch(f *inflightBatch, n int, err error) bool {
	p := w.p
	p.mu.Lock()
	f.chunk.state().encoding--
	rest := f.chunk.part(n, f.n)
	w.tasks -= rest.size()
	f.n = n
	var refused *chunk
	if n == 0 {
		w.removeInflightLocked(f)
		refused = rest.part(0, 1)
		rest = rest.part(1, rest.size())
	} else {
		f.budget.Grant(n)
		f.granted = true
		p.begunLocked(f)
		if f.chunk.state().stopped != nil {
			f.budget.Recall(0)
		}
	}
	lost := p.handBackLocked(rest)
	p.wakeNextLocked()
	p.mu.Unlock()
	p.wake.Broadcast() // stop waits for what is encoded
	if refused != nil {
		p.done.Add(1)
		refused.fail(0, 1, err)
	}
	if lost {
		rest.fail(0, rest.size(), p.why(rest.state()))
	}
	return n > 0
}

// why returns the reason for which a task of st does not run.
func (p *Pool) why(st *jobState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st.stopped != nil {
		return st.stopped
	}
	return p.broken
}

// removeInflightLocked removes f from the worker's inflight.
func (w *worker) removeInflightLocked(f *inflightBatch) {
	w.inflight = deleteIf(w.inflight, func(g *inflightBatch) bool { return g == f })
}
