package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
	"github.com/perijove/perijove/lib/mp"
)

// A Barrier lets a fixed number of parties (tasks or processes of a cluster) wait for each
// other, any number of times. It may be part of the argument of a task. If the context of a
// party ends while the party waits, the Barrier breaks.
type Barrier struct{ entry }

// A barrierState is the value of a Barrier.
type barrierState struct {
	Parties, Waiting int
	Round            uint64
	Epoch            uint64 // number of calls of Reset
	Broken           bool
}

func (s barrierState) encode() []byte {
	b, _ := json.Marshal(s) // a struct of numbers
	return b
}

func decodeBarrier(b []byte) (s barrierState, err error) {
	if err := json.Unmarshal(b, &s); err != nil || s.Parties < 1 || s.Waiting < 0 || s.Waiting >= s.Parties {
		return s, errors.New("cluster: cannot read the state of a Barrier: the value that the server stores for it is malformed; make a new Barrier")
	}
	return s, nil
}

// NewBarrier makes a Barrier for the given number of parties, which must be at least 1.
func NewBarrier(ctx context.Context, c *Cluster, parties int) (*Barrier, error) {
	if parties < 1 {
		return nil, fmt.Errorf("cluster: cannot make a Barrier for %d parties: the number must be at least 1", parties)
	}
	e, err := newEntry(ctx, c, "Barrier", barrierState{Parties: parties}.encode())
	if err != nil {
		return nil, err
	}
	return &Barrier{e}, nil
}

// Wait waits until all parties have called Wait. It returns how many parties called Wait
// before this one, so exactly one party gets 0. If ctx ends first, Wait returns an error that
// wraps the cause of ctx. While the Barrier is broken, Wait returns mp.ErrBroken: see Reset.
func (b *Barrier) Wait(ctx context.Context) (place int, err error) {
	var s barrierState
	err = b.change(ctx, func(old []byte) (_ []byte, err error) {
		if s, err = decodeBarrier(old); err != nil {
			return nil, err
		}
		if s.Broken {
			return nil, mp.ErrBroken
		}
		next := s
		if next.Waiting++; next.Waiting == next.Parties {
			next.Waiting, next.Round = 0, next.Round+1
		}
		return next.encode(), nil
	})
	if err == nil && s.Waiting < s.Parties-1 {
		err = b.await(ctx, s)
	}
	if err != nil {
		return 0, err
	}
	return s.Waiting, nil
}

// await waits for the end of the round in which the Barrier had the state from. If ctx ends
// first or the server fails, it breaks the Barrier.
func (b *Barrier) await(ctx context.Context, from barrierState) error {
	over := func(value []byte) (bool, error) {
		s, err := decodeBarrier(value)
		switch {
		case err != nil:
			return false, err
		case s.Epoch != from.Epoch:
			return false, mp.ErrBroken
		case s.Round != from.Round:
			return true, nil
		case s.Broken:
			return false, mp.ErrBroken
		}
		return false, nil
	}
	err := b.watch(ctx, time.Hour, func(now keyvalue.Entry, _ bool) (bool, error) { return over(now.Value) })
	if err == nil || errors.Is(err, mp.ErrBroken) || errors.Is(err, mp.ErrClosed) {
		return err
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	ended := false
	e := b.change(late, func(old []byte) ([]byte, error) {
		s, e := decodeBarrier(old)
		if ended = e == nil && s.Epoch == from.Epoch && s.Round != from.Round; ended || e != nil || s.Broken || s.Epoch != from.Epoch {
			return nil, e
		}
		s.Broken = true
		return s.encode(), nil
	})
	if ended {
		return nil // the last party came meanwhile
	}
	return errors.Join(err, e)
}

// Reset makes a broken Barrier usable again. In parties that wait, Wait returns mp.ErrBroken.
func (b *Barrier) Reset(ctx context.Context) error {
	return b.change(ctx, func(old []byte) ([]byte, error) {
		s, err := decodeBarrier(old)
		if err != nil {
			return nil, err
		}
		return barrierState{Parties: s.Parties, Round: s.Round, Epoch: s.Epoch + 1}.encode(), nil
	})
}

// Close deletes the Barrier. After that the other methods return mp.ErrClosed in all processes.
func (b *Barrier) Close(ctx context.Context) error { return b.remove(ctx) }
