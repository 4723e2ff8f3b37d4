package mp

import (
	"context"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Cond is a condition to wait for, with the Mutex that protects it. The zero
// Cond is one for goroutines.
type Cond struct {
	L Mutex // to hold while the condition is read or changed
}

// object is that of the mutex: behind it the turns are counted.
func (c *Cond) object() *shm.Object { return c.L.at.object(objectSize) }

const condTurns = shm.LockEnd

// NewCond makes a Cond with a Mutex of its own.
func NewCond(b Backend) (*Cond, error) {
	l, err := NewMutex(b)
	if err != nil {
		return nil, err
	}
	c := new(Cond)
	c.L.at.set(l.at.get())
	c.L.own.Slow = l.own.Slow
	return c, nil
}

// Wait unlocks L, waits for Signal or Broadcast, and locks L again. It may
// return without either: check the condition in a loop. It panics with ErrClosed if
// the Cond is closed, and with ErrPeerDied if nobody is left to signal.
func (c *Cond) Wait() { mustLock(c.WaitContext(context.Background())) }

// WaitContext is Wait that returns an error: ctx's when that ends, ErrClosed or
// ErrPeerDied. L is locked all the same, unless it is shared and closed.
func (c *Cond) WaitContext(ctx context.Context) error {
	if c == nil {
		return nilError("Cond")
	}
	o := c.object()
	turn, losses := o.U32(condTurns).Load(), o.Losses()
	c.L.Unlock()
	err := waitWord(ctx, o, condTurns, turn, shm.Watch{Peers: true, Losses: losses})
	if again := c.lockAgain(); again != nil {
		return again
	}
	return err
}

// lockAgain locks L, even if the host cancels what the caller does.
func (c *Cond) lockAgain() error {
	l, ok := c.L.shared()
	if !ok {
		c.L.own.Mu.Lock()
		return nil
	}
	if err := l.Lock(context.Background()); err != nil {
		return err
	}
	if l.O.IsClosed() {
		return closedLock(l)
	}
	return nil
}

// waitWord waits for a word, until the host cancels what the caller does, too.
func waitWord(ctx context.Context, o *shm.Object, off int, val uint32, w shm.Watch) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	return o.Wait(ctx, off, val, w)
}

// Signal wakes one that waits.
func (c *Cond) Signal() {
	if c == nil {
		panicNil("Cond")
	}
	c.turn(1)
}

// Broadcast wakes all that wait.
func (c *Cond) Broadcast() {
	if c == nil {
		panicNil("Cond")
	}
	c.turn(shm.All)
}

func (c *Cond) turn(n int) {
	c.object().U32(condTurns).Add(1)
	c.object().Wake(condTurns, n)
	runtime.KeepAlive(c)
}

// Close ends the Cond and its Mutex for all who have it, with ErrClosed.
func (c *Cond) Close() {
	if c == nil {
		panicNil("Cond")
	}
	c.L.Close()
}

// GobEncode lets a Cond be part of what is sent to a process.
func (c *Cond) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Cond")
	}
	return c.L.at.encode("Cond")
}

// GobDecode is the other end of GobEncode.
func (c *Cond) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Cond")
	}
	c.L.own.Slow = 1
	return c.L.at.open(b, "Cond")
}
