package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/perijove/perijove/lib/cluster/internal/queues"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// defaultQueueSize is the size of a Queue for which none is given.
const defaultQueueSize = 10_000

// A Queue passes values from any tasks and processes of a cluster to any others. It may be
// part of the argument of a task. The server stores the values. While no server answers, for
// example while the servers of a NATS cluster elect a new leader, methods try again until the
// context ends, for a minute at most. If the answer to a Put is lost, the value is not put twice.
type Queue[T any] struct{ entry }

// NewQueue makes a Queue that holds up to size values, or up to 10,000 if size is 0.
func NewQueue[T any](ctx context.Context, c *Cluster, size int) (*Queue[T], error) {
	if _, err := pack(new(T)); err != nil { // the type cannot be sent
		return nil, err
	}
	e, err := newQueue(ctx, c, size)
	if err != nil {
		return nil, err
	}
	return &Queue[T]{e}, nil
}

func newQueue(ctx context.Context, c *Cluster, size int) (entry, error) {
	if size < 0 {
		return entry{}, fmt.Errorf("cluster: cannot make a Queue for %d values: the size must be 0 (the default, %d values) or more", size, defaultQueueSize)
	}
	if size == 0 {
		size = defaultQueueSize
	}
	e, err := newEntry(ctx, c, "Queue", nil)
	if err != nil {
		return e, err
	}
	config := c.tasks.CachedInfo().Config
	return e, e.queueError(ctx, e.queueOf(c).Create(ctx, size, config.Storage, config.Replicas))
}

// queueOf returns the queue of the entry on the server of c.
func (e *entry) queueOf(c *Cluster) *queues.Queue {
	return queues.New(c.js, c.o.name+"-"+strings.ReplaceAll(e.key, ".", "-"), c.o.name+".queue."+e.key)
}

// queue returns the cluster and the queue of the entry.
func (e *entry) queue() (*Cluster, *queues.Queue, error) {
	if _, err := e.store(); err != nil {
		return nil, nil, err
	}
	c, err := clusterOf(e.cluster)
	if err != nil {
		return nil, nil, err
	}
	return c, e.queueOf(c), nil
}

// queueError returns the error of a method for an error of package queues.
func (e *entry) queueError(ctx context.Context, err error) error {
	if err == mp.ErrClosed || err == mp.ErrFull || ctx.Err() != nil {
		return err
	}
	return e.wrap(err)
}

// Put appends v. It waits while the Queue is full. It returns mp.ErrClosed after Close.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	b, err := pack(&v)
	if err != nil {
		return err
	}
	return q.put(ctx, b, true)
}

// TryPut appends v, or returns mp.ErrFull if the Queue is full.
func (q *Queue[T]) TryPut(ctx context.Context, v T) error {
	b, err := pack(&v)
	if err != nil {
		return err
	}
	return q.put(ctx, b, false)
}

// put appends an encoded value.
func (e *entry) put(ctx context.Context, b []byte, wait bool) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	c, q, err := e.queue()
	if err != nil {
		return err
	}
	if max := int(c.conn.MaxPayload()) / 2; len(b) > max {
		return fmt.Errorf("cluster: a value of %d bytes is too large for a Queue, which takes values of up to %d bytes; store the value in a file that all workers can read, and put the name of the file into the Queue: %w", len(b), max, mp.ErrTooLarge)
	}
	return e.queueError(ctx, q.Put(ctx, b, wait))
}

// Get removes the first value and returns it. It waits while the Queue is empty. The value
// is removed before Get returns, so it is lost if the process dies before it has used the
// value.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	b, err := q.take(ctx, true)
	if err == nil {
		err = unpack(b, &v)
	}
	return v, err
}

// TryGet removes the first value and returns it. If the Queue is empty, ok is false.
func (q *Queue[T]) TryGet(ctx context.Context) (v T, ok bool, err error) {
	b, err := q.take(ctx, false)
	if err != nil || b == nil {
		return v, false, err
	}
	return v, true, unpack(b, &v)
}

// take removes an encoded value. It returns nil if there is none and wait is false.
func (e *entry) take(ctx context.Context, wait bool) ([]byte, error) {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	c, q, err := e.queue()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(mp.ErrClosed) })()
	b, err := q.Take(ctx, wait)
	return b, e.queueError(ctx, err)
}

// Len returns the number of values in the Queue. After Close it returns mp.ErrClosed as soon
// as the Queue is empty.
func (q *Queue[T]) Len(ctx context.Context) (int, error) {
	_, server, err := q.queue()
	if err != nil {
		return 0, err
	}
	n, err := server.Len(ctx)
	return n, q.queueError(ctx, err)
}

// Close closes the Queue in all processes. After that no values can be put, but the values in
// the Queue can still be taken. When the Queue is empty, its methods return mp.ErrClosed.
func (q *Queue[T]) Close(ctx context.Context) error {
	_, server, err := q.queue()
	if err != nil {
		return err
	}
	if err := server.Close(ctx); err != nil {
		return q.queueError(ctx, err)
	}
	if err := q.remove(ctx); err != nil && err != mp.ErrClosed {
		return err
	}
	return nil
}
