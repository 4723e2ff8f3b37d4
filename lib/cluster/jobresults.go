package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// jobValue returns the Value of an outcome of a job. An error is sent as its text, for other
// builds, and then in its encoding.
func jobValue(b *wire.Batch, o mpremote.Outcome, err error) wire.Value {
	if n := len(o.Bytes); n > maxJobValue {
		err = fmt.Errorf("cluster: the result or error of %s takes %d bytes, more than the limit of %d for a job: return less: %w", b.FuncName, n, maxJobValue, mp.ErrTooLarge)
		o = mpremote.Failure(err)
	}
	if !o.Failed {
		return wire.Value{Form: wire.Inline, Bytes: o.Bytes}
	}
	text := err.Error()
	text = text[:min(len(text), maxInline)]
	v := binary.AppendUvarint(nil, uint64(len(text)))
	return wire.Value{Form: wire.Failed, Bytes: append(append(v, text...), o.Bytes...)}
}

// failure decodes the error of a jobValue.
func (j *job) failure(v []byte) error {
	n, size := binary.Uvarint(v)
	if size <= 0 || n > uint64(len(v)-size) {
		return fmt.Errorf("cluster: %w: an error of job %s", wire.ErrMalformed, j.name)
	}
	text, encoded := string(v[size:size+int(n)]), v[size+int(n):]
	if !j.sameBuild() {
		return errors.New(text)
	}
	return mpremote.Outcome{Failed: true, Bytes: encoded}.Err()
}

// isDeleted reports whether a job was deleted.
func (c *Cluster) isDeleted(ctx context.Context, id string) bool {
	_, err := c.js.Stream(ctx, c.jobStream(id))
	return errors.Is(err, jetstream.ErrStreamNotFound)
}

// An ending is the end of a task of a job.
type ending struct {
	result []byte
	err    error
}

// endings returns the ends of tasks in a message, by number of the task.
func (j *job) endings(subject string, data []byte) map[int]ending {
	id, _ := strconv.Atoi(subject[strings.LastIndexByte(subject, '.')+1:])
	first := (id - 1) * j.record.Batch
	last := min(first+j.record.Batch, j.record.Tasks) - 1
	if id < 1 || id > j.record.Tasks || last < first {
		return nil // no worker sends it
	}
	ends := make(map[int]ending)
	s, err := wire.DecodeResult(data)
	if err == nil && (s.Pool != j.record.ID || s.Batch != uint64(id)) {
		err = fmt.Errorf("%w: it belongs to another batch", wire.ErrMalformed)
	}
	if err != nil {
		for i := first; i <= last; i++ {
			ends[i] = ending{err: fmt.Errorf("cluster: no result of %s: %w; the task may have run", j.record.Func, err)}
		}
		return ends
	}
	for i, at := range s.Indexes {
		switch v := s.Values[i]; {
		case first+at > last:
		case v.Form == wire.Failed:
			ends[first+at] = ending{err: j.failure(v.Bytes)}
		case v.Form == wire.Inline:
			ends[first+at] = ending{result: v.Bytes}
		}
	}
	return ends
}

// consume calls f with each message of the stream of results, the oldest first, until f
// returns false. f gets the number of stored messages that follow.
func (j *job) consume(ctx context.Context, f func(ends map[int]ending, left uint64) bool) error {
	last := uint64(0) // sequence number of the last message
	for {
		ended, err := j.read(ctx, &last, f)
		switch {
		case ended:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case j.c.ctx.Err() != nil || j.c.isDeleted(ctx, j.record.ID):
			return mp.ErrClosed
		case err != nil && !isTransient(err):
			return fmt.Errorf("cluster: cannot read the results of job %s: %w", j.name, err)
		}
		select {
		case <-time.After(100 * time.Millisecond): // the server or its stream cannot be reached
		case <-ctx.Done():
		}
	}
}

// isTransient reports whether an error of reading a stream may end by itself.
func isTransient(err error) bool {
	for _, e := range []error{nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoHeartbeat, jetstream.ErrConsumerDeleted, jetstream.ErrConsumerNotFound, jetstream.ErrNoStreamResponse,
		jetstream.ErrStreamNotFound, jetstream.ErrMsgIteratorClosed, nats.ErrDisconnected, nats.ErrConnectionReconnecting, context.DeadlineExceeded, errGap} {
		if errors.Is(err, e) {
			return true
		}
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.Code >= 500
}

var errGap = errors.New("cluster: a message was lost on its way to this process")

// read is consume until an error. last is the sequence number of the last message.
func (j *job) read(ctx context.Context, last *uint64, f func(ends map[int]ending, left uint64) bool) (ended bool, err error) {
	stream := j.c.jobStream(j.record.ID)
	consumer, err := j.c.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: *last + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute})
	if err != nil {
		return false, err
	}
	defer j.c.background(func() {
		short, cancel := context.WithTimeout(j.c.ctx, 5*time.Second)
		defer cancel()
		_ = j.c.js.DeleteConsumer(short, stream, consumer.CachedInfo().Name) // otherwise the server does it after a minute
	})
	it, err := consumer.Messages(jetstream.PullExpiry(4*time.Second), jetstream.PullHeartbeat(time.Second)) // so that a deletion is noticed soon
	if err != nil {
		return false, err
	}
	defer it.Stop()
	stop := context.AfterFunc(j.c.ctx, it.Stop)
	defer stop()
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
		if !f(j.endings(msg.Subject(), msg.Data()), meta.NumPending) {
			return true, nil
		}
	}
}

// stored reports for each task whether the server has its end.
func (j *job) stored(ctx context.Context) ([]bool, error) {
	ended := make([]bool, j.record.Tasks)
	s, err := j.c.js.Stream(ctx, j.c.jobStream(j.record.ID))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return ended, mp.ErrClosed
	}
	if err != nil {
		return ended, fmt.Errorf("cluster: cannot read the results of job %s: %w", j.name, err)
	}
	if s.CachedInfo().State.Msgs == 0 {
		return ended, nil
	}
	err = j.consume(ctx, func(ends map[int]ending, left uint64) bool {
		for i := range ends {
			ended[i] = true
		}
		return left > 0
	})
	return ended, err
}

// stream yields the encoded results in order.
func (j *job) stream(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		defer j.showOutput()()
		next, early, stopped := 0, make(map[int]ending), false
		if j.record.Tasks == 0 {
			return
		}
		err := j.consume(ctx, func(ends map[int]ending, _ uint64) bool {
			for i, e := range ends {
				if _, ok := early[i]; !ok && i >= next { // else the task ran again
					early[i] = e
				}
			}
			for e, ok := early[next]; ok && !stopped; e, ok = early[next] {
				delete(early, next)
				next++
				stopped = !yield(e.result, e.err)
			}
			return next < j.record.Tasks && !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// showOutput writes what tasks print until the returned function is called.
func (j *job) showOutput() (stop func()) {
	var subs []*nats.Subscription
	for subject, w := range map[string]io.Writer{j.c.jobOutput(j.record.ID, false): os.Stdout, j.c.jobOutput(j.record.ID, true): os.Stderr} {
		sub, err := j.c.conn.Subscribe(subject, func(m *nats.Msg) { _, _ = io.Copy(w, bytes.NewReader(m.Data)) })
		if err == nil {
			subs = append(subs, sub)
		}
	}
	return func() {
		for _, s := range subs {
			_ = s.Drain()
		}
	}
}
