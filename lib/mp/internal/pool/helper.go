package pool

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/goroutine"
)

// A task of a pool of goroutines may wait for other tasks: it maps, streams, or
// waits for a future, perhaps of its own pool, all of whose workers may do so.
// While it waits its slot is lent to a helper, who takes only tasks that are as
// deeply nested as those that are waited for. So the tasks that others wait for
// are done first, some worker can always do them, and no more tasks are begun
// than the pool has workers on each level.

// Package runtime keeps this for others to use.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

// taskGoroutines finds the worker whose task the calling goroutine runs, or was
// started by: by goroutine, or by the profiler label that those inherit.
var taskGoroutines struct {
	byG, byLabel sync.Map // uintptr, unsafe.Pointer → *worker
}

// enter makes the calling goroutine w's, until leave is called.
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

// currentWorker is the worker whose task calls, or nil.
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

// taskDepth is how deep tasks are that the calling goroutine hands to a pool.
func taskDepth() int {
	if w := currentWorker(); w != nil {
		return int(w.depth.Load()) + 1
	}
	return 0
}

// StartHelper lends the slot of the task that calls, if one does, to tasks that are at
// least as deep as what it waits for, until back is called.
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

// help is the work of a helper. The slot's own initializer has run.
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

// errCloseInTask is the error of a Close that would wait for its caller.
var errCloseInTask = errors.New("mp: Close was called by a task of the pool, for which it would wait; close it elsewhere, or use Kill")
