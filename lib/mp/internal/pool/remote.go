package pool

import "github.com/perijove/perijove/lib/mp/internal/call"

// A Remote runs the tasks of a pool in other processes that are not the pool's children.
// The pool has a goroutine for each task in flight, which waits for the outcome.
type Remote interface {
	// Prepare checks that c can be sent, and replaces c.Do by a function that runs c
	// elsewhere and returns when its context ends.
	Prepare(c *call.Function) error
	// Workers returns how many tasks can run at once.
	Workers() int
	// Close releases the resources of the Remote. It is called when no task runs, and may be
	// called more than once.
	Close() error
}

// prepareRemote is prepare for a pool whose tasks run elsewhere.
func (p *Pool) prepareRemote(c *call.Function) (*function, error) {
	pc := c.Fn.PC
	if err := p.o.Remote.Prepare(c); err != nil {
		return nil, err
	}
	c.Shape |= call.TakesContext // Do takes one, even if the function does not
	return &function{pc: pc}, nil
}

// closeRemote closes the pool's Remote, if it has one.
func (p *Pool) closeRemote() error {
	if p.o.Remote == nil {
		return nil
	}
	return p.o.Remote.Close()
}
