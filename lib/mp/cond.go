package mp

import (
	"context"
	"runtime"
)

// A Cond is a condition to wait for, with the Lock that protects it. The zero
// Cond is one for goroutines.
type Cond struct {
	L Lock // to hold while the condition is read or changed
}

// cell is that of the lock: behind it the turns are counted.
func (c *Cond) cell() *cell { return c.L.at.cell(cellSize) }

const condTurns = lockEnd

// NewCond makes a Cond with a Lock of its own.
func NewCond(b Backend) (*Cond, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	made := new(Cond)
	made.L.at.set(c)
	return made, nil
}

// Wait unlocks L, waits for Signal or Broadcast, and locks L again. It may
// return without either: check the condition in a loop. If ctx ends, Wait
// returns its error, with L locked all the same.
func (c *Cond) Wait(ctx context.Context) error {
	turn := c.cell().u32(condTurns).Load()
	c.L.Unlock()
	err := c.cell().wait(ctx, condTurns, turn, longWait)
	c.L.Lock()
	return err
}

// Signal wakes one that waits.
func (c *Cond) Signal() { c.turn(1) }

// Broadcast wakes all that wait.
func (c *Cond) Broadcast() { c.turn(allWaiters) }

func (c *Cond) turn(n int) {
	c.cell().u32(condTurns).Add(1)
	c.cell().wake(condTurns, n)
	runtime.KeepAlive(c)
}

// GobEncode lets a Cond be part of what is sent to a process.
func (c *Cond) GobEncode() ([]byte, error) { return c.L.at.encode("Cond") }

// GobDecode is the other end of GobEncode.
func (c *Cond) GobDecode(b []byte) error { return c.L.at.open(b, "Cond") }
