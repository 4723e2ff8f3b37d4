package mp

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A cell is a small piece of zeroed memory whose words can be waited on: plain
// memory for goroutines, shared memory for processes. Locks and the like are
// written once, on top of it.
type cell struct {
	seg *segment // nil for goroutines
	mem []byte
	lot *lot  // for goroutines
	me  owner // of the locks that this process takes in the cell
}

// cellSize is the size of a cell without further data, in bytes.
const cellSize = 256

func newCell(b Backend, size int) (*cell, error) {
	switch b {
	case Goroutines:
		words := make([]uint64, (size+7)/8)
		return &cell{mem: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size), lot: new(lot), me: owner{pid: 1}}, nil
	case Processes:
		s, err := newSegment(int64(size), false)
		if err != nil {
			return nil, err
		}
		return &cell{seg: s, mem: s.mem, me: self()}, nil
	}
	return nil, fmt.Errorf("mp: %v", b)
}

// newHeapCell is newCell with memory that stays for as long as anything points
// into it, whatever becomes of the cell.
func newHeapCell(b Backend, size int) (*cell, error) {
	if b == Goroutines {
		if err := heapAllows(size); err != nil {
			return nil, err
		}
	}
	if b != Processes {
		return newCell(b, size)
	}
	s, err := newSegment(int64(size), true)
	if err != nil {
		return nil, err
	}
	return &cell{seg: s, mem: s.mem, me: self()}, nil
}

var errLocal = errors.New("it was made for mp.Goroutines; make it with mp.Processes to send it to one")

// A home is where an object has its cell. The zero home is for goroutines: its
// cell is made when it is first needed.
//
// The pointer is no atomic.Pointer, whose methods each package that has an
// object with a home would compile.
type home struct{ p unsafe.Pointer } // *cell

func (h *home) get() *cell { return (*cell)(atomic.LoadPointer(&h.p)) }

func (h *home) set(c *cell) { atomic.StorePointer(&h.p, unsafe.Pointer(c)) }

func (h *home) cell(size int) *cell {
	if c := h.get(); c != nil {
		return c
	}
	c, _ := newCell(Goroutines, size) // goroutines' memory cannot fail
	atomic.CompareAndSwapPointer(&h.p, nil, unsafe.Pointer(c))
	return h.get()
}

// open makes the cell that a handle names the home's.
func (h *home) open(handle []byte, what string) error {
	c, err := openCell(handle, what)
	if err == nil {
		h.set(c)
	}
	return err
}

func (h *home) encode(what string) ([]byte, error) { return h.get().encode(what) }

// encode names the cell for another process, which must open it while this
// one has it.
func (c *cell) encode(what string) ([]byte, error) {
	if c == nil {
		return nil, fmt.Errorf("mp: the %s was not made by mp.New%s", what, what)
	}
	if c.seg == nil {
		return nil, fmt.Errorf("mp: cannot send this %s: %w", what, errLocal)
	}
	h, err := c.seg.handle()
	if err != nil {
		return nil, within("cannot send this "+what, err)
	}
	return h, nil
}

func openCell(handle []byte, what string) (*cell, error) { return openMemory(handle, what, false) }

func openMemory(handle []byte, what string, inHeap bool) (*cell, error) {
	s, err := openSegment(handle, inHeap)
	if err != nil {
		return nil, within("cannot open a "+what, err)
	}
	return &cell{seg: s, mem: s.mem, me: self()}, nil
}

// drop gives up the descriptor of a cell's memory.
func (c *cell) drop() {
	if c.seg != nil {
		c.seg.close()
	}
}

func (c *cell) u32(off int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&c.mem[off])) }
func (c *cell) u64(off int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&c.mem[off])) }

// wait sleeps until the word at off is woken, unless it is not val any more,
// for at most d. It may return early for no reason. Its error is ctx's.
func (c *cell) wait(ctx context.Context, off int, val uint32, d time.Duration) error {
	defer runtime.KeepAlive(c)
	ctx, release := hosted(ctx)
	defer release()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if c.lot != nil {
		c.lot.wait(ctx, c.u32(off), val, d)
		return context.Cause(ctx)
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { c.wake(off, allWaiters) })
		defer stop()
		d = min(d, 50*time.Millisecond) // the wake-up may come just before the sleep
	}
	futexWait(c.u32(off), val, d)
	return context.Cause(ctx)
}

const allWaiters = 1<<31 - 1

// wake wakes at most n waiters of the word at off.
func (c *cell) wake(off, n int) {
	if c.lot != nil {
		c.lot.wake(c.u32(off), n)
	} else {
		futexWake(c.u32(off), n)
	}
	runtime.KeepAlive(c)
}

// alive reports whether an owner's process still exists.
func (c *cell) alive(o owner) bool { return c.seg == nil || o.alive() }

// An owner is a process for good: process ids are used again, with another
// start time.
type owner struct {
	pid   uint32
	start uint32 // low bits of the time since boot, in ticks; 0 if not known
}

// A lot is where goroutines wait for the words of a cell.
type lot struct {
	mu      sync.Mutex
	waiters map[*atomic.Uint32][]chan struct{}
}

func (l *lot) wait(ctx context.Context, word *atomic.Uint32, val uint32, d time.Duration) {
	l.mu.Lock()
	if word.Load() != val {
		l.mu.Unlock()
		return
	}
	if l.waiters == nil {
		l.waiters = make(map[*atomic.Uint32][]chan struct{})
	}
	woken := make(chan struct{})
	l.waiters[word] = append(l.waiters[word], woken)
	l.mu.Unlock()
	select {
	case <-woken:
		return
	case <-ctx.Done():
	case <-time.After(d):
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-woken: // by a wake-up that another must have then
		l.wakeLocked(word, 1)
	default:
		l.waiters[word] = deleteIf(l.waiters[word], func(c chan struct{}) bool { return c == woken })
	}
}

func (l *lot) wake(word *atomic.Uint32, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked(word, n)
}

func (l *lot) wakeLocked(word *atomic.Uint32, n int) {
	w := l.waiters[word]
	n = min(n, len(w))
	for _, c := range w[:n] {
		close(c)
	}
	if len(w) > n {
		l.waiters[word] = w[n:]
	} else {
		delete(l.waiters, word)
	}
}
