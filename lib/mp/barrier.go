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
// number of times.
type Barrier struct{ c *cell }

const (
	barrierParties = lockEnd + 4*iota
	barrierWaiting
	barrierRound // counts up when a round ends, by success or not
	barrierBroken
)

// NewBarrier makes a Barrier for the given number of parties, at least 1.
func NewBarrier(b Backend, parties int) (*Barrier, error) {
	if parties < 1 {
		return nil, fmt.Errorf("mp: a barrier for %d parties", parties)
	}
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	c.u32(barrierParties).Store(uint32(parties))
	return &Barrier{c}, nil
}

// Wait waits until all parties are waiting. It returns how many were before
// the caller, so that exactly one gets 0. If ctx ends first the barrier breaks:
// Wait returns ctx's error, and everybody else's Wait ErrBroken until Reset.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	defer runtime.KeepAlive(b)
	m := mutex{b.c, 0}
	if err := m.lock(ctx); err != nil {
		b.end(1)
		return 0, err
	}
	if b.c.u32(barrierBroken).Load() == 1 {
		m.unlock()
		return 0, ErrBroken
	}
	round := b.c.u32(barrierRound).Load()
	place := int(b.c.u32(barrierWaiting).Add(1)) - 1
	if place+1 == int(b.c.u32(barrierParties).Load()) {
		b.endLocked(0)
		m.unlock()
		return place, nil
	}
	m.unlock()
	for b.c.u32(barrierRound).Load() == round {
		if err := b.c.wait(ctx, barrierRound, round, longWait); err != nil {
			if b.c.u32(barrierRound).Load() == round {
				b.end(1)
				return 0, err
			}
			break
		}
	}
	if b.c.u32(barrierBroken).Load() == 1 {
		return 0, ErrBroken
	}
	return place, nil
}

// Reset makes a broken barrier usable. Those that still wait get ErrBroken.
func (b *Barrier) Reset() {
	if b.c.u32(barrierWaiting).Load() > 0 {
		b.end(1)
	}
	b.end(0)
}

func (b *Barrier) end(broken uint32) {
	m := mutex{b.c, 0}
	_ = m.lock(steady{context.Background()})
	b.endLocked(broken)
	m.unlock()
	runtime.KeepAlive(b)
}

func (b *Barrier) endLocked(broken uint32) {
	b.c.u32(barrierWaiting).Store(0)
	b.c.u32(barrierBroken).Store(broken)
	b.c.u32(barrierRound).Add(1)
	b.c.wake(barrierRound, allWaiters)
}

// GobEncode lets a Barrier be part of what is sent to a process.
func (b *Barrier) GobEncode() ([]byte, error) { return b.c.encode("Barrier") }

// GobDecode is the other end of GobEncode.
func (b *Barrier) GobDecode(data []byte) (err error) {
	b.c, err = openCell(data, "Barrier")
	return err
}
