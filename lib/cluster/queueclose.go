package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/mp"
)

// A Queue is closed in three steps. First its stream gets another subject, so that no value
// can be put. Then the limit of its size is removed: before that, a Put that waits while the
// Queue is full must not find room. Then a message with the new subject, the end, follows the
// last value. The call that takes the end deletes the stream.

// noLimit is the MaxMsgs of a stream without a limit.
const noLimit = -1

func (e *entry) endSubject(c *Cluster) string { return e.subject(c) + ".end" }

// isClosing reports whether no more values can be put.
func (e *entry) isClosing(c *Cluster, s jetstream.Stream) bool {
	subjects := s.CachedInfo().Config.Subjects
	return len(subjects) == 1 && subjects[0] == e.endSubject(c)
}

// finish closes the Queue. It also completes the close of another process that was killed
// between the steps.
func (e *entry) finish(ctx context.Context, c *Cluster) error {
	s, err := c.js.Stream(ctx, e.streamName(c))
	if err != nil {
		return e.queueError(err)
	}
	config := s.CachedInfo().Config
	if !e.isClosing(c, s) {
		config.Subjects = []string{e.endSubject(c)}
		if _, err := c.js.UpdateStream(ctx, config); err != nil {
			return e.queueError(err)
		}
	}
	if config.MaxMsgs != noLimit {
		config.MaxMsgs = noLimit
		if _, err := c.js.UpdateStream(ctx, config); err != nil {
			return e.queueError(err)
		}
	}
	if _, err := c.js.Publish(ctx, e.endSubject(c), nil, jetstream.WithMsgID("end")); err != nil {
		return e.queueError(err)
	}
	if err := e.remove(ctx); err != nil && !errors.Is(err, mp.ErrClosed) {
		return err
	}
	return nil
}

// left returns the number of values in a Queue that is closing. The number includes values
// that another process has received but not yet removed.
func (e *entry) left(ctx context.Context, c *Cluster, s jetstream.Stream) (int, error) {
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(e.subject(c)))
	if err != nil {
		return 0, e.queueError(err)
	}
	return int(info.State.Subjects[e.subject(c)]), nil
}

// atEnd handles the end. If no value is left, it deletes the stream and returns mp.ErrClosed.
// Otherwise another process has received a value, which the server delivers again if that
// process dies. Then the server must deliver the end again, too.
func (e *entry) atEnd(ctx context.Context, c *Cluster, end jetstream.Msg) error {
	s, err := c.js.Stream(ctx, e.streamName(c))
	if err != nil {
		return err
	}
	n, err := e.left(ctx, c, s)
	switch {
	case err != nil:
		return err
	case n > 0:
		return end.NakWithDelay(100 * time.Millisecond)
	}
	if err := c.js.DeleteStream(ctx, e.streamName(c)); err != nil {
		return err
	}
	return mp.ErrClosed
}
