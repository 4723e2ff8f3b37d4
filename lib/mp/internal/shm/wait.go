package shm

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// All is how many waiters Wake wakes to wake all.
const All = 1<<31 - 1

// A Watch is what else ends a wait.
type Watch struct {
	Peers   bool        // ErrPeerDied, if this process is left alone
	Losses  uint32      // what Object.Losses was when the call began
	Suspect func() bool // looked at now and then: the wait ends when it is true
	One     bool        // waiters of the word are woken one by one
}

// Bounds of how long a waiter sleeps until it looks whether it should.
const (
	firstLook = time.Millisecond
	lastLook  = 50 * time.Millisecond
)

// maxDirect is how many threads of a process sleep on words themselves. A wake-up
// reaches them fastest.
const maxDirect = 4

var direct atomic.Int32

// Wait sleeps until the word at off is woken, unless it is not val any more. It may
// return early for no reason. Its error is ctx's, ErrClosed or ErrPeerDied.
func (o *Object) Wait(ctx context.Context, off int, val uint32, w Watch) error {
	defer runtime.KeepAlive(o)
	if err := o.ended(ctx, w); err != nil {
		return err
	}
	if o.local != nil {
		o.local.parkingLot.wait(ctx, o, off, val)
		return o.ended(ctx, w)
	}
	if direct.Add(1) <= maxDirect {
		defer direct.Add(-1)
		return o.waitDirect(ctx, off, val, w)
	}
	direct.Add(-1)
	return o.waitParked(ctx, off, val, w)
}

// ended returns the error with which a wait ends.
func (o *Object) ended(ctx context.Context, w Watch) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case o.IsClosed():
		return ErrClosed
	case w.Peers && o.Losses() != w.Losses:
		return ErrPeerDied
	}
	return nil
}

func (o *Object) waitDirect(ctx context.Context, off int, val uint32, w Watch) error {
	word := o.U32(off)
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { futexWake(word, All) })
		defer stop()
	}
	for look := firstLook; ; look = min(2*look, lastLook) {
		woken := futexWait(word, val, look)
		if err := o.ended(ctx, w); err != nil {
			if woken {
				o.Wake(off, 1) // another must have it
			}
			return err
		}
		if woken || word.Load() != val {
			return nil
		}
		if o.looks(w, firstLook) {
			return o.ended(ctx, w)
		}
	}
}

// looks reports whether a wait must end although it was not woken.
func (o *Object) looks(w Watch, seen time.Duration) bool {
	if w.Suspect != nil && w.Suspect() {
		return true
	}
	if !w.Peers {
		return false
	}
	o.checkPeers(seen)
	return o.Losses() != w.Losses
}

// Wake wakes at most n waiters of the word at off, whose change they wait for.
func (o *Object) Wake(off, n int) {
	defer runtime.KeepAlive(o)
	if o.local != nil {
		o.local.parkingLot.wake(off, n)
		return
	}
	woken := futexWake(o.U32(off), n)
	if woken < n {
		wakeParked(o.wordID(off), n-woken)
	}
}

// wordID names a word in every process.
func (o *Object) wordID(off int) wordID {
	const golden = 0x9e3779b97f4a7c15
	at := uint64(o.off) + uint64(off) + uint64(len(o.head))
	x := (o.seg.name()*golden ^ at) * golden
	return wordID(x^x>>29)&^idAll | 2
}
