package queues

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
)

const (
	// fetchTimeout is how long one request for a value waits. A server that leads sends a
	// heartbeat every fetchHeartbeat meanwhile.
	fetchTimeout   = 10 * time.Second
	fetchHeartbeat = 2 * time.Second
	// removeTimeout is how long after a request for a value the value can be removed. Soon
	// after that, the server may give it to another process.
	removeTimeout = ackWait - 5*time.Second
	// maxLooks is how often TryTake looks for a value that the server has and does not deliver.
	maxLooks = 50
	// retryDelay is the time after which Take asks again when no server delivers.
	retryDelay = 50 * time.Millisecond
)

// Take removes the first value and returns it. If the Queue is empty, Take waits, or returns nil
// if wait is false. The server has removed the value when Take returns.
func (q *Queue) Take(ctx context.Context, wait bool) ([]byte, error) {
	consumer, err := q.consumer(ctx)
	last := time.Now().Add(servers.Timeout) // for errors of fetch
	for looks := 1; err == nil; looks++ {
		begun := time.Now()
		var msg jetstream.Msg
		var fetchErr error
		if msg, fetchErr = fetch(ctx, consumer, wait); msg != nil && msg.Subject() == q.endSubject() {
			err = q.atEnd(ctx, msg)
		} else if msg != nil {
			if value, ok, err := q.remove(ctx, msg, begun.Add(removeTimeout)); ok || err != nil {
				return value, err
			}
		}
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			<-ctx.Done() // its timer has not run yet
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
		case fetchErr != nil && time.Now().After(last):
			return nil, closed(fetchErr)
		case fetchErr != nil:
			err = q.await(ctx)
		default:
			last = time.Now().Add(servers.Timeout)
			var isEmpty bool
			if isEmpty, err = q.isEmpty(ctx, consumer, wait); !wait && err == nil && (looks >= maxLooks || isEmpty) {
				return nil, nil
			}
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, closed(err)
}

func (q *Queue) consumer(ctx context.Context) (c jetstream.Consumer, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		c, err = q.js.Consumer(ctx, q.name, consumerName)
		return err
	})
	return c, err
}

// await waits a moment. It returns an error if the stream does not exist.
func (q *Queue) await(ctx context.Context) error {
	select {
	case <-time.After(retryDelay):
	case <-ctx.Done():
	}
	_, err := q.stream(ctx)
	return err
}

// fetch returns the next message, or nil if none has come.
func fetch(ctx context.Context, consumer jetstream.Consumer, wait bool) (jetstream.Msg, error) {
	var msgs jetstream.MessageBatch
	var err error
	if wait {
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		opts := []jetstream.FetchOpt{jetstream.FetchContext(ctx)}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) > 3*fetchHeartbeat {
			opts = append(opts, jetstream.FetchHeartbeat(fetchHeartbeat))
		}
		msgs, err = consumer.Fetch(1, opts...)
	} else {
		msgs, err = consumer.FetchNoWait(1)
	}
	if err != nil {
		return nil, err
	}
	for msg := range msgs.Messages() {
		return msg, nil
	}
	if err = msgs.Error(); errors.Is(err, context.DeadlineExceeded) {
		err = nil // no value came in time
	}
	return nil, err
}

// remove removes the value of a message from the stream until a time. ok is false if the server
// may give the value to another process.
//
// The answer of a server that is lost does not come. If the message is gone then, this process has
// removed it, since the server gives it to no other before that time.
func (q *Queue) remove(ctx context.Context, msg jetstream.Msg, until time.Time) (value []byte, ok bool, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, false, err
	}
	if !time.Now().Before(until) {
		return nil, false, nil
	}
	try, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	var stream jetstream.Stream
	err = servers.Retry(try, func(ctx context.Context, lost bool) (err error) {
		if lost {
			if stream == nil {
				stream, err = q.js.Stream(ctx, q.name)
			}
			if err == nil {
				_, err = stream.GetMsg(ctx, meta.Sequence.Stream)
			}
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		return msg.DoubleAck(ctx)
	})
	switch {
	case err == nil:
		return msg.Data(), true, nil
	case ctx.Err() != nil:
		return nil, false, context.Cause(ctx)
	case errors.Is(closed(err), mp.ErrClosed):
		return nil, false, mp.ErrClosed
	}
	return nil, false, fmt.Errorf("cannot remove a value from a Queue: no server answered within %v, so it is unknown whether the value was removed: %w", removeTimeout, err)
}

// isEmpty reports whether processes have taken all values in the stream of the Queue. A
// consumer learns of a new value with a delay, which is long on a busy machine. If there is a
// value, isEmpty waits a moment. It does nothing if wait is true.
func (q *Queue) isEmpty(ctx context.Context, consumer jetstream.Consumer, wait bool) (bool, error) {
	if wait {
		return false, nil
	}
	s, err := q.stream(ctx)
	if err != nil || s.CachedInfo().State.Msgs == 0 {
		return err == nil, err
	}
	var info *jetstream.ConsumerInfo
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		info, err = consumer.Info(ctx)
		return err
	})
	if err != nil || int(s.CachedInfo().State.Msgs) <= info.NumAckPending {
		return err == nil, err
	}
	time.Sleep(5 * time.Millisecond)
	return false, nil
}
