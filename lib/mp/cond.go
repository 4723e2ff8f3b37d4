package mp

import (
	"context"
	"runtime"
)

// A Cond is a condition to wait for, with the Lock that protects it.
type Cond struct {
	L Lock // to hold while the condition is read or changed
	c *cell
}

const condTurns = lockEnd

// NewCond makes a Cond with a Lock of its own.
func NewCond(b Backend) (*Cond, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	return &Cond{Lock{c}, c}, nil
}

// Wait unlocks L, waits for Signal or Broadcast, and locks L again. It may
// return without either: check the condition in a loop. If ctx ends, Wait
// returns its error, with L locked all the same.
func (c *Cond) Wait(ctx context.Context) error {
	turn := c.c.u32(condTurns).Load()
	c.L.Unlock()
	err := c.c.wait(ctx, condTurns, turn, longWait)
	c.L.Lock()
	return err
}

// Signal wakes one that waits.
func (c *Cond) Signal() { c.turn(1) }

// Broadcast wakes all that wait.
func (c *Cond) Broadcast() { c.turn(allWaiters) }

func (c *Cond) turn(n int) {
	c.c.u32(condTurns).Add(1)
	c.c.wake(condTurns, n)
	runtime.KeepAlive(c)
}

// GobEncode lets a Cond be part of what is sent to a process.
func (c *Cond) GobEncode() ([]byte, error) { return c.c.encode("Cond") }

// GobDecode is the other end of GobEncode.
func (c *Cond) GobDecode(b []byte) (err error) {
	c.c, err = openCell(b, "Cond")
	c.L = Lock{c.c}
	return err
}
