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

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/replay"
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(j.c.ctx, func() { cancel(mp.ErrClosed) })()
	err := replay.Stream(ctx, j.c.js, j.c.jobStream(j.record.ID), func(subject string, data []byte, left uint64) bool {
		return f(j.endings(subject, data), left)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return mp.ErrClosed
	}
	return fmt.Errorf("cluster: cannot read the results of job %s: %w", j.name, err)
}

// stored reports for each task whether the server has its end.
func (j *job) stored(ctx context.Context) ([]bool, error) {
	ended := make([]bool, j.record.Tasks)
	s, err := j.c.js.Stream(ctx, j.c.jobStream(j.record.ID))
	if err == nil && s.CachedInfo().State.Msgs == 0 {
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
