package pool

import (
	"errors"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/queue"
)

// startWorker starts a worker process and its goroutines: feed sends batches,
// receiveResults receives results, and watchTasks enforces the TaskTimeout, if there is
// one.
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

// feed initializes the worker, and sends it batches until it has to end.
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

// stopIdle tells an idle worker to end, and kills it if it does not. If the worker is
// gone already, receiveResults handles its end.
func (w *worker) stopIdle() {
	w.p.mu.Lock()
	gone := w.gone
	w.p.mu.Unlock()
	if !gone {
		w.child.KillLater(w.p.o.Grace, errDoesNotEnd)
		_ = w.child.Conn.Send(protocol.Frame{Kind: protocol.FrameEnd})
	}
}

var errDoesNotEnd = errors.New("mp: the pool killed the child, which did not end within the time of the option Grace")

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

// sent handles the error of a message to the child, if there is one. If the child has
// closed its end it has usually ended, and receiveResults handles that; otherwise it is
// killed after a delay.
func (w *worker) sent(err error) {
	if err != nil {
		w.child.KillLater(process.ClosedPipeDelay, failure.Wrap("cannot send a message to the child", err))
	}
}

// slot returns the number under which the child knows fn. It first sends the current
// code of fn, since a notebook may have redefined it under the same id.
func (w *worker) slot(fn *function) (uint32, error) {
	if err := w.child.Update(false); err != nil {
		return 0, err
	}
	w.child.Observe()
	if n, ok := w.defined[fn.def]; ok {
		return n, nil
	}
	n := uint32(len(w.defined) + 1)
	w.defined[fn.def] = n
	w.sent(w.child.Define(fn.def, uint64(n)))
	return n, nil
}

// dispatch encodes the arguments of a batch and sends them.
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
	if keys := f.chunk.keys(n); keys != nil {
		w.sent(w.child.Conn.Send(protocol.Frame{Kind: protocol.FrameKeys, Id: f.id, Body: codec.AppendStrings(nil, keys...)}))
	}
	w.child.SentTasks(f.id, f.chunk.base)
	w.sent(w.child.Conn.SendRoom(protocol.FrameTask, f.id, out.B))
}

// isolateIf runs f, with failure.Isolate if f calls users' code (foreign).
func isolateIf(foreign bool, f func() error) error {
	if foreign {
		return failure.Isolate(f)
	}
	return f()
}

// launch gives the first n tasks of f to the worker, and hands back the rest. If n is
// 0, the first task fails with err. It reports whether there are tasks to send.
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
	p.wake.Broadcast() // stop waits until no arguments are being encoded
	if refused != nil {
		p.done.Add(1)
		refused.fail(0, 1, err)
	}
	if lost {
		rest.fail(0, rest.size(), p.why(rest.state()))
	}
	return n > 0
}

// why returns the error of a task of st that does not run, or nil if it may run.
func (p *Pool) why(st *jobState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st.stopped != nil {
		return st.stopped
	}
	return p.broken
}

// removeInflightLocked removes f from the worker's batches.
func (w *worker) removeInflightLocked(f *inflightBatch) {
	w.inflight = deleteIf(w.inflight, func(g *inflightBatch) bool { return g == f })
}
