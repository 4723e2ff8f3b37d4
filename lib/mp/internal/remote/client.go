package remote

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A client calls, for this process, methods of an object that another process serves.
type client struct {
	answers *answers
	over    *flag
	server  shm.Owner

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan answer
	reading bool // a goroutine reads answers for all calls
}

func (c *client) call(ctx context.Context, asks *asks, a ask) (answer, error) {
	mine := make(chan answer, 1)
	c.mu.Lock()
	c.next++
	a.ID, a.Reply = c.next, c.answers
	c.waiting[a.ID] = mine
	if !c.reading {
		c.reading = true
		go c.read()
	}
	c.mu.Unlock()
	err := asks.Put(ctx, a)
	if err == nil {
		select {
		case got := <-mine:
			return got, nil
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	c.mu.Lock()
	delete(c.waiting, a.ID)
	c.mu.Unlock()
	return answer{}, err
}

// read passes answers to the calls that wait for them, until no call waits.
func (c *client) read() {
	for {
		over := c.over.IsSet() // if set, all answers are in the queue already
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		a, err := c.answers.Get(ctx)
		cancel()
		c.mu.Lock()
		if mine := c.waiting[a.ID]; err == nil && mine != nil {
			mine <- a
			delete(c.waiting, a.ID)
		}
		if err != nil && over {
			c.failLocked(shm.ErrClosed)
		} else if err != nil && !c.server.Alive() {
			c.failLocked(fmt.Errorf("%w: the process that served the object has ended", shm.ErrClosed))
		}
		if len(c.waiting) == 0 {
			c.reading = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// failLocked ends every waiting call with err. c.mu is held.
func (c *client) failLocked(err error) {
	for id, mine := range c.waiting {
		mine <- answer{Err: codec.EncodeError(err)}
		delete(c.waiting, id)
	}
}
