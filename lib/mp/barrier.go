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
	made := new(Barrier)
	made.at.set(c)
	return made, nil
}

// Wait waits until all parties are waiting. It returns how many were before
// the caller, so that exactly one gets 0. If ctx ends first the barrier breaks:
// Wait returns ctx's error, and everybody else's Wait ErrBroken until Reset.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	defer runtime.KeepAlive(b)
	if b.cell().u32(barrierParties).Load() == 0 {
		return 0, errors.New("mp: the Barrier was not made by mp.NewBarrier")
	}
	m := mutex{b.cell(), 0}
	if err := m.lock(ctx); err != nil {
		b.end(1)
		return 0, err
	}
	if b.cell().u32(barrierBroken).Load() == 1 {
		m.unlock()
		return 0, ErrBroken
	}
	round := b.cell().u32(barrierRound).Load()
	place := int(b.cell().u32(barrierWaiting).Add(1)) - 1
	if place+1 == int(b.cell().u32(barrierParties).Load()) {
		b.endLocked(0)
		m.unlock()
		return place, nil
	}
	m.unlock()
	for b.cell().u32(barrierRound).Load() == round {
		if err := b.cell().wait(ctx, barrierRound, round, longWait); err != nil {
			if b.cell().u32(barrierRound).Load() == round {
				b.end(1)
				return 0, err
			}
			break
		}
	}
	if b.cell().u32(barrierBroken).Load() == 1 {
		return 0, ErrBroken
	}
	return place, nil
}

// Reset makes a broken barrier usable. Those that still wait get ErrBroken.
func (b *Barrier) Reset() {
	if b.cell().u32(barrierWaiting).Load() > 0 {
		b.end(1)
	}
	b.end(0)
}

func (b *Barrier) end(broken uint32) {
	m := mutex{b.cell(), 0}
	_ = m.lock(steady{context.Background()})
	b.endLocked(broken)
	m.unlock()
	runtime.KeepAlive(b)
}

func (b *Barrier) endLocked(broken uint32) {
	b.cell().u32(barrierWaiting).Store(0)
	b.cell().u32(barrierBroken).Store(broken)
	b.cell().u32(barrierRound).Add(1)
	b.cell().wake(barrierRound, allWaiters)
}

// GobEncode lets a Barrier be part of what is sent to a process.
func (b *Barrier) GobEncode() ([]byte, error) { return b.at.encode("Barrier") }

// GobDecode is the other end of GobEncode.
func (b *Barrier) GobDecode(data []byte) error { return b.at.open(data, "Barrier") }
