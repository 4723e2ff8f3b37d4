package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
)

const (
	// defaultQueueSize is the size of a Queue for which none is given.
	defaultQueueSize = 10_000
	// queueFull is the server's error code for a message to a full stream.
	queueFull jetstream.ErrorCode = 10077
)

// A Queue passes values from any tasks and processes of a cluster to any others. It may be
// part of the argument of a task. The server stores the values.
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
		return entry{}, fmt.Errorf("cluster: cannot make a Queue for %d values: the size must be 0 (no limit) or more", size)
	}
	if size == 0 {
		size = defaultQueueSize
	}
	e, err := newEntry(ctx, c, "Queue", nil)
	if err != nil {
		return e, err
	}
	config := c.tasks.CachedInfo().Config
	_, err = c.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: e.streamName(c), Subjects: []string{e.subject(c)}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: int64(size), Storage: config.Storage, Replicas: config.Replicas, Duplicates: duplicateWindow,
	})
	if err == nil {
		_, err = c.js.CreateConsumer(ctx, e.streamName(c), jetstream.ConsumerConfig{Durable: "get", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, MaxDeliver: -1})
	}
	if err != nil {
		return e, e.wrap(err)
	}
	return e, nil
}

func (e *entry) streamName(c *Cluster) string {
	return c.o.name + "-" + strings.ReplaceAll(e.key, ".", "-")
}

func (e *entry) subject(c *Cluster) string { return c.o.name + ".queue." + e.key }

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
	if _, err := e.store(); err != nil {
		return err
	}
	c, err := clusterOf(e.cluster)
	if err != nil {
		return err
	}
	if max := int(c.conn.MaxPayload()) / 2; len(b) > max {
		return fmt.Errorf("cluster: a value of %d bytes is too large for a Queue, which takes values of up to %d bytes; store the value in a file that all workers can read, and put the name of the file into the Queue: %w", len(b), max, mp.ErrTooLarge)
	}
	id := rand.Text()
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, 200*time.Millisecond) {
		_, err := c.js.Publish(ctx, e.subject(c), b, jetstream.WithMsgID(id))
		api, isAPI := errors.AsType[*jetstream.APIError](err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !isAPI || api.ErrorCode != queueFull:
			return e.queueError(err)
		case !wait:
			return mp.ErrFull
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// queueError returns mp.ErrClosed for the error of a stream, consumer or connection that is
// gone.
func (e *entry) queueError(err error) error {
	if errors.Is(err, mp.ErrClosed) {
		return err
	}
	for _, gone := range []error{jetstream.ErrNoStreamResponse, jetstream.ErrStreamNotFound, jetstream.ErrConsumerNotFound, jetstream.ErrConsumerDeleted, jetstream.ErrConsumerDoesNotExist, nats.ErrConnectionClosed} {
		if errors.Is(err, gone) {
			return mp.ErrClosed
		}
	}
	return e.wrap(err)
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
	if _, err := e.store(); err != nil {
		return nil, err
	}
	c, err := clusterOf(e.cluster)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(mp.ErrClosed) })()
	consumer, err := c.js.Consumer(ctx, e.streamName(c), "get")
	for looks := 1; err == nil; looks++ {
		var msg jetstream.Msg
		if msg, err = fetch(ctx, consumer, wait); msg != nil && msg.Subject() == e.endSubject(c) {
			err = e.atEnd(ctx, c, msg)
		} else if msg != nil {
			if err := msg.DoubleAck(ctx); err != nil {
				return nil, e.queueError(cmp.Or(e.existence(ctx, c, err), err)) // it is delivered again
			}
			return msg.Data(), nil
		}
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			<-ctx.Done() // its timer has not run yet
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil && !wait && (looks == maxLooks || e.isEmpty(ctx, c, consumer)):
			return nil, nil
		}
		err = e.existence(ctx, c, err)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, e.queueError(err)
}

// maxLooks is how often take looks for a value that the server has and does not deliver.
const maxLooks = 50

// isEmpty reports whether processes have taken all values in the stream of the Queue. A
// consumer learns of a new value with a delay, which is long on a busy machine. If there is a
// value, isEmpty waits a moment.
func (e *entry) isEmpty(ctx context.Context, c *Cluster, consumer jetstream.Consumer) bool {
	s, err := c.js.Stream(ctx, e.streamName(c))
	if err != nil || s.CachedInfo().State.Msgs == 0 {
		return true
	}
	info, err := consumer.Info(ctx)
	if err != nil || int(s.CachedInfo().State.Msgs) <= info.NumAckPending {
		return true
	}
	time.Sleep(5 * time.Millisecond)
	return false
}

// existence returns nil in place of an error that means that no server has answered, if the
// stream of the Queue exists: another server may answer.
func (e *entry) existence(ctx context.Context, c *Cluster, err error) error {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoHeartbeat) {
		_, err = c.js.Stream(ctx, e.streamName(c))
	}
	return err
}

// fetch returns the next message, or nil if none has come.
func fetch(ctx context.Context, consumer jetstream.Consumer, wait bool) (jetstream.Msg, error) {
	var msgs jetstream.MessageBatch
	var err error
	if wait {
		msgs, err = consumer.Fetch(1, jetstream.FetchContext(ctx))
	} else {
		msgs, err = consumer.FetchNoWait(1)
	}
	if err != nil {
		return nil, err
	}
	for msg := range msgs.Messages() {
		return msg, nil
	}
	return nil, msgs.Error()
}

// Len returns the number of values in the Queue. After Close it returns mp.ErrClosed as soon
// as the Queue is empty.
func (q *Queue[T]) Len(ctx context.Context) (int, error) {
	c, err := clusterOf(q.cluster)
	if err != nil {
		return 0, err
	}
	s, err := c.js.Stream(ctx, q.streamName(c))
	if err != nil {
		return 0, q.queueError(err)
	}
	if q.isClosing(c, s) {
		return q.left(ctx, c, s)
	}
	return int(s.CachedInfo().State.Msgs), nil
}

// Close closes the Queue in all processes. After that no values can be put, but the values in
// the Queue can still be taken. When the Queue is empty, its methods return mp.ErrClosed.
func (q *Queue[T]) Close(ctx context.Context) error {
	c, err := clusterOf(q.cluster)
	if err != nil {
		return err
	}
	return q.finish(ctx, c)
}
