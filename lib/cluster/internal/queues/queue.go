// Package queues stores the values of queues on the server. Each queue has a stream. The package
// tries again while a server is lost.
package queues

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
)

const (
	// consumerName is the name of the consumer of each stream.
	consumerName = "get"
	// duplicateWindow is how long the server recognizes a value that was sent again. Put sends
	// a value again for servers.Timeout and the time of one try.
	duplicateWindow = 2 * time.Minute
	// ackWait is how long the server waits until it gives a value that a process has received,
	// but not removed, to another process.
	ackWait = 30 * time.Second
)

// Error codes of JetStream, for which package jetstream has no names.
const (
	storeFailed jetstream.ErrorCode = 10077 // the server cannot store a message, for any reason
	inProcess   jetstream.ErrorCode = 10158 // a message with the same id is being stored
)

// errUnknown is part of the error of a call that may have had its effect.
var errUnknown = errors.New("it is unknown whether the value was put into the Queue")

// A Queue is a queue on the server. Its methods may be called concurrently. They return
// mp.ErrClosed if the stream was deleted. While no server answers, they try again until ctx ends,
// or for servers.Timeout.
type Queue struct {
	js      jetstream.JetStream
	name    string // of the stream
	subject string // of the values
}

// New returns the Queue whose stream has the given name, and whose values have the given subject.
func New(js jetstream.JetStream, name, subject string) *Queue {
	return &Queue{js, name, subject}
}

// Create makes the stream of the Queue, which holds up to size values.
func (q *Queue) Create(ctx context.Context, size int, storage jetstream.StorageType, replicas int) error {
	err := servers.CreateStream(ctx, q.js, jetstream.StreamConfig{
		Name: q.name, Subjects: []string{q.subject}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: int64(size), Storage: storage, Replicas: replicas, Duplicates: duplicateWindow,
	})
	if err != nil {
		return err
	}
	return servers.Create(ctx, func(ctx context.Context) error {
		_, err := q.js.CreateOrUpdateConsumer(ctx, q.name, jetstream.ConsumerConfig{Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1})
		return err
	})
}

// Put appends a value. If the Queue is full, Put waits, or returns mp.ErrFull if wait is false.
//
// If an answer of the server is lost, Put sends the value again. The message has an id, so the
// server stores the value only once.
func (q *Queue) Put(ctx context.Context, value []byte, wait bool) error {
	id := rand.Text()
	sent := false // a try was sent whose answer was lost
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, 200*time.Millisecond) {
		err := servers.Retry(ctx, func(ctx context.Context, lost bool) error {
			sent = sent || lost
			_, err := q.js.Publish(ctx, q.subject, value, jetstream.WithMsgID(id))
			return q.putError(ctx, err)
		})
		if !errors.Is(err, mp.ErrFull) || !wait {
			return unknown(ctx, closed(err), sent)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unknown adds errUnknown to an error of Put after which the value may be in the Queue. lost
// tells whether an answer was lost.
func unknown(ctx context.Context, err error, lost bool) error {
	switch {
	case ctx.Err() != nil:
	case lost && (errors.Is(err, mp.ErrClosed) || errors.Is(err, mp.ErrFull)), servers.IsTransient(err):
		return fmt.Errorf("cannot put a value into a Queue: %w; %w", err, errUnknown)
	}
	return err
}

// putError returns the meaning of an error of the server for a value that was sent. The server
// has the same error code for a Queue that is full and for other reasons why it cannot store
// a message, and the same one for a stream without a leader and one that was closed. The state
// of the stream tells these apart.
func (q *Queue) putError(ctx context.Context, err error) error {
	api, ok := errors.AsType[*jetstream.APIError](err)
	isStoreError := ok && api.ErrorCode == storeFailed
	switch {
	case ok && api.ErrorCode == inProcess:
		return nats.ErrTimeout // the server has not yet answered the first try
	case !isStoreError && !errors.Is(err, jetstream.ErrNoStreamResponse):
		return err
	}
	s, streamErr := q.js.Stream(ctx, q.name)
	if streamErr != nil {
		return streamErr
	}
	config := s.CachedInfo().Config
	switch {
	case q.isClosing(s):
		return mp.ErrClosed
	case isStoreError && config.MaxMsgs > 0 && s.CachedInfo().State.Msgs >= uint64(config.MaxMsgs):
		return mp.ErrFull
	}
	return err // transient
}

// closed returns mp.ErrClosed for the error of a stream, consumer or connection that is gone.
func closed(err error) error {
	for _, gone := range []error{jetstream.ErrStreamNotFound, jetstream.ErrConsumerNotFound, jetstream.ErrConsumerDeleted, jetstream.ErrConsumerDoesNotExist, nats.ErrConnectionClosed} {
		if errors.Is(err, gone) {
			return mp.ErrClosed
		}
	}
	return err
}

// stream returns the stream with its state.
func (q *Queue) stream(ctx context.Context) (s jetstream.Stream, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		s, err = q.js.Stream(ctx, q.name)
		return err
	})
	return s, closed(err)
}

// Len returns the number of values in the Queue. After Close it returns mp.ErrClosed as soon
// as the Queue is empty.
func (q *Queue) Len(ctx context.Context) (int, error) {
	s, err := q.stream(ctx)
	switch {
	case err != nil:
		return 0, err
	case q.isClosing(s):
		return q.left(ctx, s)
	}
	return int(s.CachedInfo().State.Msgs), nil
}
