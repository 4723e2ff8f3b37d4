package cluster

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/replay"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
)

// isDeleted reports whether a job was deleted.
func (c *Cluster) isDeleted(ctx context.Context, id string) bool {
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		_, err := c.js.Stream(ctx, c.jobStream(id))
		return err
	})
	return errors.Is(err, jetstream.ErrStreamNotFound)
}

// consume calls f with each message of the stream of results, the oldest first, until f
// returns false. f gets the number of stored messages that follow.
func (j *job) consume(ctx context.Context, f func(ends map[int]jobs.Ending, left uint64) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(j.c.ctx, func() { cancel(mp.ErrClosed) })()
	same := j.sameBuild()
	err := replay.Stream(ctx, j.c.js, j.c.jobStream(j.record.ID), func(subject string, data []byte, left uint64) bool {
		return f(j.record.Endings(subject, data, j.name, same), left)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		err = mp.ErrClosed
	}
	return &jobs.Over{Job: j.name, Err: err}
}

// stored reports for each task whether the server has its end.
func (j *job) stored(ctx context.Context) ([]bool, error) {
	ended := make([]bool, j.record.Tasks)
	var s jetstream.Stream
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		s, err = j.c.js.Stream(ctx, j.c.jobStream(j.record.ID))
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return ended, &jobs.Over{Job: j.name, Err: mp.ErrClosed}
	case err != nil:
		return ended, &jobs.Over{Job: j.name, Err: err}
	case s.CachedInfo().State.Msgs == 0:
		return ended, nil
	}
	err = j.consume(ctx, func(ends map[int]jobs.Ending, left uint64) bool {
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
		var next atomic.Int64
		early, stopped := make(map[int]jobs.Ending), false
		if j.record.Tasks == 0 {
			return
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go j.awaitWorkers(ctx, &next, cancel)
		err := j.consume(ctx, func(ends map[int]jobs.Ending, _ uint64) bool {
			for i, e := range ends {
				if _, ok := early[i]; !ok && i >= int(next.Load()) { // else the task ran again
					early[i] = e
				}
			}
			for e, ok := early[int(next.Load())]; ok && !stopped; e, ok = early[int(next.Load())] {
				delete(early, int(next.Load()))
				next.Add(1)
				stopped = !yield(e.Result, e.Err)
			}
			return int(next.Load()) < j.record.Tasks && !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// showOutput writes what tasks print until the returned function is called.
func (j *job) showOutput() (stop func()) {
	return jobs.Show(j.c.conn, map[string]io.Writer{j.c.jobOutput(j.record.ID, false): os.Stdout, j.c.jobOutput(j.record.ID, true): os.Stderr})
}

// awaitWorkers calls cancel if the result number next is missing and no worker has its task.
func (j *job) awaitWorkers(ctx context.Context, next *atomic.Int64, cancel context.CancelCauseFunc) {
	for now, before := j, ""; now.record.Build != before; {
		if b, err := hex.DecodeString(now.record.Build); err != nil || len(b) != len(build{}) || !j.c.members.AwaitLoss(ctx, build(b), j.c.o.workerTimeout, j.c.conn.IsConnected) {
			return
		}
		ended, err := j.stored(ctx)
		if at := next.Load(); err != nil || at >= int64(len(ended)) || ended[at] {
			continue // the result is on its way
		}
		before = now.record.Build
		if now, err = j.c.findJob(ctx, j.name); err != nil {
			return // it was deleted, which ends the stream
		}
	}
	cancel(jobs.Unserved(ErrNoWorkers))
}
