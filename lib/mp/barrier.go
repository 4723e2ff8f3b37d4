package mp

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// ErrBroken is the error of all that wait at a Barrier when one gives up.
var ErrBroken = errors.New("mp: the barrier is broken")

// A Barrier lets a number of goroutines or processes wait for each other, any
// number of times. One that dies before it has come leaves the others waiting
// until their contexts end; one that dies while it waits counts as having come.
type Barrier struct{ at home }

func (b *Barrier) cell() *cell { return b.at.cell(cellSize) }

const (
	barrierState   = 0 // u64, a barrierWord
	barrierParties = 8 // u32
)

// A barrierWord is all that changes in a Barrier, so that a process that dies
// leaves the state before or after a step. Waiters sleep on the low half, which
// changes when a round ends: the rounds that were completed in its low 16 bits,
// those that were broken in the next. The high half counts those that wait.
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

// completed is the state after a round that all came to.
func (w barrierWord) completed() barrierWord {
	return w&^(barrierWaiters|barrierRounds) | (w+1)&barrierRounds
}

// broken is the state after a round that one gave up.
func (w barrierWord) broken() barrierWord {
	return barrierWord(uint32(w)+barrierBreak) | barrierBroken
}

// NewBarrier makes a Barrier for the given number of parties, at least 1.
func NewBarrier(b Backend, parties int) (*Barrier, error) {
	if parties < 1 || parties > maxParties {
		return nil, fmt.Errorf("mp: cannot make a Barrier for %d parties: there must be 1 to %d", parties, maxParties)
	}
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	c.u32(barrierParties).Store(uint32(parties))
	made := new(Barrier)
	made.at.set(c)
	return made, nil
}

// Wait waits until all parties are waiting. It returns how many were before
// the caller, so that exactly one gets 0. If ctx ends first the barrier breaks:
// Wait returns ctx's error, and everybody else's Wait ErrBroken until Reset.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	defer runtime.KeepAlive(b)
	c := b.cell()
	parties := int(c.u32(barrierParties).Load())
	if parties == 0 {
		return 0, errors.New("mp: the Barrier was not made by mp.NewBarrier")
	}
	if err := context.Cause(ctx); err != nil {
		b.breakRound(nil)
		return 0, err
	}
	for state := c.u64(barrierState); ; {
		s := barrierWord(state.Load())
		place := s.waiting()
		switch {
		case s.isBroken():
			return 0, ErrBroken
		case place+1 < parties:
			if state.CompareAndSwap(uint64(s), uint64(s+barrierWaiter)) {
				return place, b.await(ctx, s)
			}
		case state.CompareAndSwap(uint64(s), uint64(s.completed())):
			c.wake(barrierState, allWaiters)
			return place, nil
		}
	}
}

// await waits for the end of the round that began with state s.
func (b *Barrier) await(ctx context.Context, s barrierWord) error {
	c, round := b.cell(), uint32(s)
	for uint32(c.u64(barrierState).Load()) == round {
		if err := c.wait(ctx, barrierState, round, longWait); err != nil {
			if b.breakRound(&round) {
				return err
			}
		}
	}
	if uint32(c.u64(barrierState).Load())&^barrierRounds != round&^barrierRounds {
		return ErrBroken
	}
	return nil
}

// breakRound breaks the barrier, if round is nil or still the current one.
func (b *Barrier) breakRound(round *uint32) bool {
	return b.change(func(s barrierWord) (barrierWord, bool) {
		return s.broken(), (round == nil || uint32(s) == *round) && !s.isBroken()
	})
}

// Reset makes a broken barrier usable. Those that still wait get ErrBroken.
func (b *Barrier) Reset() {
	b.change(func(s barrierWord) (barrierWord, bool) {
		if s.waiting() > 0 {
			s = s.broken()
		}
		return s &^ barrierBroken, true
	})
	runtime.KeepAlive(b)
}

// change replaces the state, if f says so, and wakes all.
func (b *Barrier) change(f func(barrierWord) (barrierWord, bool)) bool {
	c := b.cell()
	for {
		s := c.u64(barrierState).Load()
		to, ok := f(barrierWord(s))
		if !ok {
			return false
		}
		if c.u64(barrierState).CompareAndSwap(s, uint64(to)) {
			c.wake(barrierState, allWaiters)
			return true
		}
	}
}

// GobEncode lets a Barrier be part of what is sent to a process.
func (b *Barrier) GobEncode() ([]byte, error) { return b.at.encode("Barrier") }

// GobDecode is the other end of GobEncode.
func (b *Barrier) GobDecode(data []byte) error { return b.at.open(data, "Barrier") }
