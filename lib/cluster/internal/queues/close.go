package queues

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
)

// A Queue is closed in three steps. First its stream gets another subject, so that no value
// can be put. Then the limit of its size is removed: before that, a Put that waits while the
// Queue is full must not find room. Then a message with the new subject, the end, follows the
// last value. The call that takes the end deletes the stream.

// noLimit is the MaxMsgs of a stream without a limit.
const noLimit = -1

func (q *Queue) endSubject() string { return q.subject + ".end" }

// isClosing reports whether no more values can be put.
func (q *Queue) isClosing(s jetstream.Stream) bool {
	subjects := s.CachedInfo().Config.Subjects
	return len(subjects) == 1 && subjects[0] == q.endSubject()
}

// Close closes the Queue. If another process was killed while it closed the Queue, Close makes
// the steps that are missing.
func (q *Queue) Close(ctx context.Context) error {
	s, err := q.stream(ctx)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	if !q.isClosing(s) {
		config.Subjects = []string{q.endSubject()}
		if err := q.update(ctx, config); err != nil {
			return err
		}
	}
	if config.MaxMsgs != noLimit {
		config.MaxMsgs = noLimit
		if err := q.update(ctx, config); err != nil {
			return err
		}
	}
	return closed(servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		_, err := q.js.Publish(ctx, q.endSubject(), nil, jetstream.WithMsgID("end"))
		if err != nil {
			if _, gone := q.js.Stream(ctx, q.name); gone != nil {
				return gone
			}
		}
		return err
	}))
}

func (q *Queue) update(ctx context.Context, config jetstream.StreamConfig) error {
	return closed(servers.Create(ctx, func(ctx context.Context) error {
		_, err := q.js.UpdateStream(ctx, config)
		return err
	}))
}

// left returns the number of values in a Queue that is closing. The number includes values
// that another process has received but not yet removed.
func (q *Queue) left(ctx context.Context, s jetstream.Stream) (n int, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		info, err := s.Info(ctx, jetstream.WithSubjectFilter(q.subject))
		if err == nil {
			n = int(info.State.Subjects[q.subject])
		}
		return err
	})
	return n, closed(err)
}

// atEnd handles the end. If no value is left, it deletes the stream and returns mp.ErrClosed.
// Otherwise another process has received a value, which the server delivers again if that
// process dies. Then the server must deliver the end again, too.
func (q *Queue) atEnd(ctx context.Context, end jetstream.Msg) error {
	s, err := q.stream(ctx)
	if err != nil {
		return err
	}
	n, err := q.left(ctx, s)
	switch {
	case err != nil:
		return err
	case n > 0:
		return end.NakWithDelay(100 * time.Millisecond)
	}
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) error { return q.js.DeleteStream(ctx, q.name) })
	if err = closed(err); err != nil {
		return err
	}
	return mp.ErrClosed
}
