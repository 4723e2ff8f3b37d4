package shm

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// All is the argument n of Wake that wakes all waiters.
const All = 1<<31 - 1

// A Watch lists the events that end a wait, besides a wake-up.
type Watch struct {
	Peers   bool        // whether the death of all other users ends the wait with ErrPeerDied
	Losses  uint32      // the value of Object.Losses when the call began
	Suspect func() bool // called from time to time; the wait ends when it returns true
	One     bool        // whether the waiters of the word are woken one at a time
}

// A waiter checks from time to time whether its wait must end: firstLook after the
// wait began, then after longer intervals, up to lastLook.
const (
	firstLook = time.Millisecond
	lastLook  = 50 * time.Millisecond
)

// maxDirect is how many threads of a process may sleep on words directly, which is the
// fastest way to be woken. Other waiters are parked.
const maxDirect = 4

var direct atomic.Int32

// Wait sleeps until Wake is called for the word at off. It returns at once if the word is not
// val, and may return early without a reason. Its error is the cause of ctx, ErrClosed or
// ErrPeerDied.
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

// ended returns the error of a wait that must end, or nil.
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
				o.Wake(off, 1) // pass the wake-up on to another
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

// looks checks whether a wait must end although no wake-up came. seen is
// passed to AliveSince, for each peer.
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

// Wake wakes at most n waiters of the word at off. Call it after a change of the word.
func (o *Object) Wake(off, n int) {
	defer runtime.KeepAlive(o)
	if n -= o.wakeNear(off, n); n > 0 && o.local == nil {
		if h := hubIfAny(); h != nil {
			h.post(o.wordID(off), n)
		}
	}
}

// wakeNear wakes at most n waiters of the word at off, but not the parked goroutines of other processes. It returns how many
// it woke, or 0 if the object is for goroutines.
func (o *Object) wakeNear(off, n int) int {
	if o.local != nil {
		o.local.parkingLot.wake(off, n)
		return 0
	}
	woken := futexWake(o.U32(off), n)
	if woken < n {
		woken += wakeOwn(o.wordID(off), n-woken)
	}
	return woken
}

// TraceKey returns a number that identifies the word at off in the traces of all processes.
func (o *Object) TraceKey(off int) uint64 {
	if o.local != nil {
		return uint64(uintptr(unsafe.Pointer(o.local)))
	}
	return uint64(o.wordID(off))
}

// wordID returns the wordID of the word at off.
func (o *Object) wordID(off int) wordID {
	const golden = 0x9e3779b97f4a7c15
	at := uint64(o.off) + uint64(off) + uint64(len(o.head))
	x := (o.seg.name()*golden ^ at) * golden
	return wordID(x^x>>29)&^idAll | 2
}
