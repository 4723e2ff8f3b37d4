package pool

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/goroutine"
)

// A task of a pool of goroutines may wait for other tasks: it calls Map or Stream, or
// waits for a Future, perhaps of its own pool, and all workers may do so. While it
// waits, its slot is lent to a helper, another goroutine, which takes only tasks that
// are nested at least as deep as those that the task waits for. So tasks that others
// wait for are done first, some worker can always run them, and on each level no more
// tasks run at once than the pool has workers.

// Package runtime keeps this function available for linkname.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

// taskGoroutines maps goroutines to the worker whose task they run or were started by.
// byG has worker goroutines; byLabel has the profiler labels, which goroutines that a
// task starts inherit.
var taskGoroutines struct {
	byG, byLabel sync.Map // uintptr, unsafe.Pointer → *worker
}

// enter registers the calling goroutine as one of w, until leave is called.
func (w *worker) enter() (leave func()) {
	w.labels = pprof.WithLabels(context.Background(), pprof.Labels("mp", "worker"))
	pprof.SetGoroutineLabels(w.labels)
	g, label := goroutine.Current(), profLabel()
	w.label = label
	taskGoroutines.byG.Store(g, w)
	taskGoroutines.byLabel.Store(label, w)
	return func() {
		taskGoroutines.byG.Delete(g)
		taskGoroutines.byLabel.Delete(label)
	}
}

// relabel restores the label, which a task may have changed.
func (w *worker) relabel() {
	if profLabel() != w.label {
		pprof.SetGoroutineLabels(w.labels)
	}
}

// currentWorker returns the worker whose task the calling goroutine belongs to, or nil.
func currentWorker() *worker {
	if label := profLabel(); label != nil {
		if w, ok := taskGoroutines.byLabel.Load(label); ok {
			return w.(*worker)
		}
	}
	if w, ok := taskGoroutines.byG.Load(goroutine.Current()); ok {
		return w.(*worker)
	}
	return nil
}

// taskDepth returns the nesting depth of tasks that the calling goroutine gives to a
// pool.
func taskDepth() int {
	if w := currentWorker(); w != nil {
		return int(w.depth.Load()) + 1
	}
	return 0
}

// StartHelper must be called before a wait for tasks, and back after it. If the caller is a
// task of a pool of goroutines, a helper (another goroutine of that pool) runs tasks until
// back is called. It runs only tasks that are nested at least depth levels deep.
func StartHelper(depth int) (back func()) {
	if w := currentWorker(); w != nil {
		return w.p.startHelper(depth)
	}
	return func() {}
}

func (p *Pool) startHelper(depth int) (back func()) {
	h := &worker{p: p, least: depth}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return func() {}
	}
	p.workers[h] = true
	p.running.Go(h.help)
	return func() {
		p.mu.Lock()
		h.gone = true
		p.wakeLocked(h)
		p.mu.Unlock()
	}
}

// help runs tasks until the helper must end. It does not run the pool's initializer,
// which has already run for the lent slot.
func (w *worker) help() {
	defer w.enter()()
	ended := false
	defer func() {
		if !ended { // a task called runtime.Goexit
			w.p.running.Go(w.help)
			return
		}
		w.p.mu.Lock()
		delete(w.p.workers, w)
		w.p.mu.Unlock()
	}()
	for f := w.p.acquire(w); f != nil; f = w.p.acquire(w) {
		w.runHere(f)
	}
	ended = true
}

// errCloseInTask is the error of a Close that a task of the pool calls.
var errCloseInTask = errors.New("mp: cannot close a pool from one of its tasks, since Close would wait for that task: call Close outside the pool's tasks, or call Kill")
