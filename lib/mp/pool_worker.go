package mp

import (
	"fmt"
	"time"
)

// A worker runs batches in a child process, or in a goroutine if child is nil.
// Fields below the line are guarded by pool.mu.
type worker struct {
	p       *pool
	child   *child
	book    ledger
	defined map[definition]uint32 // used by feed alone
	room    []byte                // of its last frame
	fed     chan struct{}         // closed when feed has ended

	// ---
	flights []*flight // in order
	next    uint64    // id of the last batch
	tasks   int       // that it was given
	done    int       // that it has done
	gone    bool
	worked  bool // it died after it had begun a task
	ready   bool // its initializer has succeeded, or there is none
}

// spent reports whether w has had all the tasks of its life.
func (w *worker) spent(limit int) bool { return limit > 0 && w.tasks >= limit }

// employ starts a worker process and its two goroutines: feed sends batches,
// attend receives results.
func (p *pool) employ() error {
	c, err := spawn(p.host, p.o)
	if err != nil {
		return err
	}
	w := &worker{p: p, child: c, defined: make(map[definition]uint32), fed: make(chan struct{}), ready: p.o.initializer == nil}
	if c.crash != nil {
		w.book = mapLedger(c.crash)
	}
	go c.reap()
	p.mu.Lock()
	p.crew[w] = true
	p.mu.Unlock()
	p.workers.Go(w.attend)
	p.workers.Go(w.feed)
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
			_ = w.child.conn.send(frame{kind: frameEnd})
			return
		}
		w.dispatch(f)
	}
}

func (w *worker) initialize() error {
	if err := w.child.update(); err != nil {
		return err
	}
	in := w.p.o.initializer
	if in == nil {
		return nil
	}
	body, err := in.encode()
	if err != nil {
		return err
	}
	w.book.credit(0).grant(1)
	_ = w.child.define(in.def, 0)
	_ = w.child.conn.send(frame{kind: frameTask, body: append(appendTaskHead(nil, 0, 0, 1), body...)})
	return nil
}

// slot makes sure that the child knows fn as it is now, for a notebook may have
// defined it anew under the same id, and returns its number there.
func (w *worker) slot(fn *function) (uint32, error) {
	if err := w.child.update(); err != nil {
		return 0, err
	}
	if n, ok := w.defined[fn.def]; ok {
		return n, nil
	}
	n := uint32(len(w.defined) + 1)
	w.defined[fn.def] = n
	_ = w.child.define(fn.def, uint64(n))
	return n, nil
}

// dispatch encodes a flight's arguments and sends it. That the child is gone
// shows in attend.
func (w *worker) dispatch(f *flight) {
	slot, err := w.slot(f.parcel.state().fn)
	var out writer
	n := 0
	if err == nil {
		out.b = append(w.room[:0], make([]byte, headerSize+taskHead)...)
		n, err = f.parcel.encode(&out, maxBatchBytes)
		w.room = kept(out.b)
	}
	p := w.p
	p.mu.Lock()
	f.parcel.state().encoding--
	rest := f.parcel.part(n, f.n)
	w.tasks -= rest.size()
	f.n = n
	var refused *parcel
	if n == 0 {
		w.landLocked(f)
		refused = rest.part(0, 1)
		rest = rest.part(1, rest.size())
	} else {
		f.credit.grant(n)
		f.granted = true
		if f.parcel.state().stopped != nil {
			f.credit.recall(0)
		}
	}
	lost := p.handBackLocked(rest)
	p.mu.Unlock()
	p.wake.Broadcast()
	if refused != nil {
		refused.fail(0, 1, err)
	}
	if lost {
		rest.fail(0, rest.size(), p.why(rest.state()))
	}
	if n > 0 {
		for _, i := range f.parcel.abandoned(n) {
			w.cancelTask(f, i)
		}
		appendTaskHead(out.b[headerSize:headerSize], slot, 0, n)
		_ = w.child.conn.sendRoom(frameTask, f.id, out.b)
	}
}

// why returns the reason for which a task of st does not run.
func (p *pool) why(st *jobState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st.stopped != nil {
		return st.stopped
	}
	return p.broken
}

// landLocked removes f from the worker's flights.
func (w *worker) landLocked(f *flight) {
	w.flights = deleteIf(w.flights, func(g *flight) bool { return g == f })
}

// attend receives results until the child is gone, and then settles what it
// leaves behind.
func (w *worker) attend() {
	broken := w.child.listen(w.receive)
	<-w.child.gone
	p := w.p
	p.mu.Lock()
	w.gone = true
	delete(p.crew, w)
	p.mu.Unlock()
	p.wake.Broadcast()
	<-w.fed // it may have been about to send a batch
	exit := error(w.child.close())
	if broken != nil {
		exit = broken
	}
	w.bury(exit)
	w.book.unmap()
	w.replace(exit)
}

// receive handles one reply.
func (w *worker) receive(fr frame) error {
	r, err := parseReply(fr.body)
	if err != nil {
		return err
	}
	if fr.id == 0 {
		return w.initialized(r)
	}
	p := w.p
	p.mu.Lock()
	var f *flight
	for _, g := range w.flights {
		if g.id == fr.id {
			f = g
		}
	}
	bad := f == nil || f.delivered+r.done > f.parcel.size()
	p.mu.Unlock()
	if bad {
		return errMalformed
	}
	if err := f.parcel.deliver(f.delivered, r); err != nil {
		return err
	}
	p.delivered(w, f, r.done, r.elapsed, r.last)
	return nil
}

func (w *worker) initialized(r *reply) error {
	if len(r.errs) > 0 {
		err := decodeError(r.errs[0].text)
		w.p.breakDown(initializerError(err))
		return nil
	}
	w.p.mu.Lock()
	w.ready = true
	w.p.mu.Unlock()
	return nil
}

// delivered books tasks as done.
func (p *pool) delivered(w *worker, f *flight, n int, elapsed time.Duration, last bool) {
	p.mu.Lock()
	f.delivered += n
	w.done += n
	p.stats.Done += n
	if n > 0 {
		p.failed = 0
	}
	p.measured(f.parcel.state(), n, elapsed)
	var rest *parcel
	lost := false
	if last {
		w.landLocked(f)
		if f.delivered < f.n { // a task ended the goroutine that ran the batch
			rest = f.parcel.part(f.delivered, f.n)
			lost = p.handBackLocked(rest)
		}
	}
	p.mu.Unlock()
	p.wake.Broadcast()
	if lost {
		rest.fail(0, rest.size(), p.why(rest.state()))
	}
}

func (w *worker) kill() {
	if w.child != nil {
		_ = w.child.kill()
	}
}

func initializerError(err error) error {
	return fmt.Errorf("mp: the pool's initializer failed: %w", err)
}
