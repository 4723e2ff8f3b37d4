package mp

import (
	"context"
	"fmt"
	"runtime"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// ErrBroken is the error of Wait on a broken Barrier.
var ErrBroken = failure.ErrBroken

// A Barrier lets a fixed number of goroutines or processes wait for each other, any
// number of times. If a process that has the Barrier is killed or crashes, the barrier
// breaks, since the others might wait for that process. The zero Barrier does not work:
// use NewBarrier.
type Barrier struct{ at object.Handle }

func (b *Barrier) object() *shm.Object { return b.at.Object(object.Size) }

const (
	barrierState   = 0 // u64, a barrierWord
	barrierParties = 8 // u32
)

// A barrierWord is the state of a Barrier. It is one word, so that a process that dies
// leaves either the old or the new state. Waiters sleep on the low half, which changes when
// a round ends: its low 16 bits count completed rounds, its high 16 bits broken ones. The
// high half counts the waiters; its highest bit is set while the barrier is broken.
type barrierWord uint64

const (
	barrierRounds  = 1<<16 - 1
	barrierBreak   = 1 << 16
	barrierWaiter  = 1 << 32
	barrierBroken  = 1 << 63
	maxParties     = 1<<31 - 1
	barrierWaiters = maxParties << 32
)

func (w barrierWord) waiting() int   { return int(w & barrierWaiters >> 32) }
func (w barrierWord) isBroken() bool { return w&barrierBroken != 0 }

// completed returns the state after a round in which all parties called Wait.
func (w barrierWord) completed() barrierWord {
	return w&^(barrierWaiters|barrierRounds) | (w+1)&barrierRounds
}

// broken returns the state after the barrier broke in the current round.
func (w barrierWord) broken() barrierWord {
	return barrierWord(uint32(w)+barrierBreak) | barrierBroken
}

// NewBarrier makes a Barrier for the given number of parties, which must be at least 1.
func NewBarrier(b Backend, parties int) (*Barrier, error) {
	if parties < 1 || parties > maxParties {
		return nil, fmt.Errorf("mp: cannot make a Barrier for %d parties: the number must be between 1 and %d", parties, maxParties)
	}
	made := new(Barrier)
	if err := makeHandle(&made.at, b, object.Size); err != nil {
		return nil, err
	}
	made.object().U32(barrierParties).Store(uint32(parties))
	return made, nil
}

// Wait waits until all parties have called Wait. It returns how many of them called Wait
// before the caller, so exactly one caller gets 0. If ctx ends first, the barrier breaks: Wait
// returns ctx's error, and every other Wait returns ErrBroken until Reset. If the
// barrier breaks because a process died, the error of one Wait also matches
// ErrPeerDied.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	if b == nil {
		return 0, nilError("Barrier")
	}
	defer runtime.KeepAlive(b)
	o := b.object()
	parties := int(o.U32(barrierParties).Load())
	if parties == 0 {
		return 0, notMade("Barrier", "mp.NewBarrier")
	}
	if err := context.Cause(ctx); err != nil {
		b.breakRound(nil)
		return 0, err
	}
	for state := o.U64(barrierState); ; {
		s := barrierWord(state.Load())
		place := s.waiting()
		switch {
		case o.IsClosed():
			return 0, ErrClosed
		case s.isBroken():
			return 0, ErrBroken
		case place+1 < parties:
			if state.CompareAndSwap(uint64(s), uint64(s+barrierWaiter)) {
				return place, b.await(ctx, s)
			}
		case state.CompareAndSwap(uint64(s), uint64(s.completed())):
			o.Wake(barrierState, shm.All)
			return place, nil
		}
	}
}

// await waits for the end of the round that began with state s, and breaks the barrier
// on an error.
func (b *Barrier) await(ctx context.Context, s barrierWord) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	o, round := b.object(), uint32(s)
	for uint32(o.U64(barrierState).Load()) == round {
		err := o.Wait(ctx, barrierState, round, shm.Watch{Suspect: o.HasDead})
		if err == nil && o.HasDead() {
			err = fmt.Errorf("%w; a process that had the barrier has died: %w", ErrBroken, failure.Unprefixed(ErrPeerDied))
		}
		if err != nil && b.breakRound(&round) {
			o.RemoveDead()
			return err
		}
	}
	if uint32(o.U64(barrierState).Load())&^barrierRounds != round&^barrierRounds {
		return ErrBroken
	}
	return nil
}

// breakRound breaks the barrier if round is nil or still the current round.
func (b *Barrier) breakRound(round *uint32) bool {
	return b.change(func(s barrierWord) (barrierWord, bool) {
		return s.broken(), (round == nil || uint32(s) == *round) && !s.isBroken()
	})
}

// Reset makes a broken barrier usable again. Calls of Wait that are still waiting
// return ErrBroken.
func (b *Barrier) Reset() {
	if b == nil {
		panicNil("Barrier")
	}
	b.object().RemoveDead()
	b.change(func(s barrierWord) (barrierWord, bool) {
		if s.waiting() > 0 {
			s = s.broken()
		}
		return s &^ barrierBroken, true
	})
	runtime.KeepAlive(b)
}

// change replaces the state by the one that f returns, and wakes all waiters. If f
// returns false, change does nothing and also returns false.
func (b *Barrier) change(f func(barrierWord) (barrierWord, bool)) bool {
	o := b.object()
	for {
		s := o.U64(barrierState).Load()
		to, ok := f(barrierWord(s))
		if !ok {
			return false
		}
		if o.U64(barrierState).CompareAndSwap(s, uint64(to)) {
			o.Wake(barrierState, shm.All)
			return true
		}
	}
}

// Close closes the Barrier in every process: Wait returns ErrClosed.
func (b *Barrier) Close() {
	if b == nil {
		panicNil("Barrier")
	}
	b.object().Close()
}

// GobEncode lets a Barrier be part of a value that is sent to a process, as a reference.
func (b *Barrier) GobEncode() ([]byte, error) {
	if b == nil {
		return nil, nilError("Barrier")
	}
	return b.at.Encode("Barrier")
}

// GobDecode is the inverse of GobEncode.
func (b *Barrier) GobDecode(data []byte) error {
	if b == nil {
		return nilError("Barrier")
	}
	return b.at.Open(data, "Barrier")
}
