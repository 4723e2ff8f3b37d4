// Package replay reads a stream from its beginning.
package replay

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
)

const (
	// retryDelay is the time after which Stream tries again when the server does not answer.
	retryDelay = 100 * time.Millisecond
	// requestTimeout is how long Stream waits for the answer to a request. A server that is lost does
	// not answer, and another one answers the next request.
	requestTimeout = 5 * time.Second
)

// Stream calls f with each message of a stream, the oldest first, until f returns false. It
// waits for messages that are not stored yet. left is the number of stored messages that
// follow. If the stream does not exist, or is deleted meanwhile, the error is
// jetstream.ErrStreamNotFound. If ctx ends, the error is the cause of ctx.
//
// The ordered consumer of package jetstream tries forever to read a stream that was deleted,
// and ignores the context meanwhile.
func Stream(ctx context.Context, js jetstream.JetStream, name string, f func(subject string, data []byte, left uint64) bool) error {
	last := uint64(0) // sequence number of the last message
	for {
		done, err := read(ctx, js, name, &last, f)
		if done {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if gone := existence(ctx, js, name); errors.Is(gone, jetstream.ErrStreamNotFound) {
			return gone
		}
		if !isTransient(err) {
			return err
		}
		select {
		case <-time.After(retryDelay):
		case <-ctx.Done():
		}
	}
}

var errGap = errors.New("the server did not deliver a message of the stream")

// isTransient reports whether an error of reading a stream that exists may end by itself.
func isTransient(err error) bool {
	for _, e := range []error{jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound, jetstream.ErrStreamNotFound, errGap} {
		if errors.Is(err, e) {
			return true
		}
	}
	return servers.IsTransient(err)
}

// read does the work of Stream until the first error. last is the sequence number of the
// last message.
func read(ctx context.Context, js jetstream.JetStream, name string, last *uint64, f func(subject string, data []byte, left uint64) bool) (done bool, err error) {
	consumer, err := newConsumer(ctx, js, name, *last+1)
	if err != nil {
		return false, err
	}
	defer func() {
		go func() {
			short, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = js.DeleteConsumer(short, name, consumer.CachedInfo().Name) // otherwise the server does it after a minute
		}()
	}()
	it, err := consumer.Messages(jetstream.PullExpiry(4*time.Second), jetstream.PullHeartbeat(time.Second)) // so that a deletion is noticed soon
	if err != nil {
		return false, err
	}
	defer it.Stop()
	for n := uint64(1); ; n++ {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return false, err
		}
		meta, err := msg.Metadata()
		if err == nil && meta.Sequence.Consumer != n {
			err = errGap
		}
		if err != nil {
			return false, err
		}
		*last = meta.Sequence.Stream
		if !f(msg.Subject(), msg.Data(), meta.NumPending) {
			return true, nil
		}
	}
}

// newConsumer makes a consumer of a stream whose first message has the number first.
func newConsumer(ctx context.Context, js jetstream.JetStream, name string, first uint64) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute})
}

// existence returns the error of a request for the state of a stream.
func existence(ctx context.Context, js jetstream.JetStream, name string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := js.Stream(ctx, name)
	return err
}
