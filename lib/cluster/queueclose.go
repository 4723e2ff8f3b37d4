package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/mp"
)

// A Queue is closed in two steps. First its stream gets another subject, so that no value
// can be put. Then a message with that subject, the end, follows the last value. The call
// that takes the end deletes the stream.

func (e *entry) endSubject(c *Cluster) string { return e.subject(c) + ".end" }

// isClosing reports whether no more values can be put.
func (e *entry) isClosing(c *Cluster, s jetstream.Stream) bool {
	subjects := s.CachedInfo().Config.Subjects
	return len(subjects) == 1 && subjects[0] == e.endSubject(c)
}

// finish closes the Queue. If another call has done the first step only, as its process was
// killed, finish does the second.
func (e *entry) finish(ctx context.Context, c *Cluster) error {
	s, err := c.js.Stream(ctx, e.streamName(c))
	if err != nil {
		return e.queueError(err)
	}
	if !e.isClosing(c, s) {
		config := s.CachedInfo().Config
		config.Subjects = []string{e.endSubject(c)}
		config.MaxMsgs += 2 // for ends, if the Queue is full
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

// left returns the number of values in a Queue that is closing. That includes those that
// another process has received but not yet removed.
func (e *entry) left(ctx context.Context, c *Cluster, s jetstream.Stream) (int, error) {
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(e.subject(c)))
	if err != nil {
		return 0, e.queueError(err)
	}
	return int(info.State.Subjects[e.subject(c)]), nil
}

// atEnd handles the end. If no value is left, it deletes the stream and returns mp.ErrClosed.
// Otherwise another process has a value that comes again if the process dies, so the end
// must come again, too.
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
