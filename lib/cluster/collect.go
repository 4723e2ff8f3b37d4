package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// resultAckWait is how long the server waits until it delivers a message with results again.
// A message may be lost together with the server that leads the stream.
const resultAckWait = 3 * time.Second

const (
	// resultExpiry is how long one request for results waits. The server that leads the consumer
	// sends a heartbeat every resultHeartbeat meanwhile. After two heartbeats that did not come, the
	// pool sends the request again, to the next leader.
	resultExpiry    = 5 * time.Second
	resultHeartbeat = time.Second
)

// collect begins to receive the results of the pool.
func (r *runner) collect() error {
	consumer, err := makeConsumer(r.ctx, r.c.results, jetstream.ConsumerConfig{
		Durable: r.consumerName(), FilterSubject: r.c.resultSubjects(r.id), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: resultAckWait, InactiveThreshold: 10 * time.Minute, MaxAckPending: 1 << 14, MemoryStorage: true,
	})
	if err != nil {
		return r.c.streamError(r.c.o.name+"-results", err)
	}
	if r.consume, err = consumer.Consume(r.receive, jetstream.PullMaxBytes(16<<20), jetstream.PullExpiry(resultExpiry), jetstream.PullHeartbeat(resultHeartbeat)); err != nil {
		return fmt.Errorf("cluster: cannot receive the results of tasks from %s: %w", r.c.URL(), err)
	}
	return nil
}

// receive handles a message of the stream of results. If it cannot be decoded, the tasks of
// its batch fail: the worker has acknowledged the batch, so it does not run again.
func (r *runner) receive(msg jetstream.Msg) {
	s, err := wire.DecodeResult(msg.Data())
	switch {
	case len(msg.Data()) == 0:
		err = errors.New("a worker could not read the message with the task, because the message was damaged")
	case err == nil && (s.Pool != r.id || msg.Subject() != r.c.resultSubject(s.Pool, s.Batch)):
		err = fmt.Errorf("%w: the message with results and its subject name different batches of tasks", wire.ErrMalformed)
	}
	if err != nil {
		r.failDamaged(msg.Subject(), err)
		_ = msg.TermWithReason("malformed result")
		return
	}
	r.output.Write(s.Stdout, s.Stderr)
	for _, v := range s.Values {
		if v.Form == wire.Object || v.Form == wire.FailedObject {
			r.c.background(func() { r.settleObjects(s, msg) }) // fetching takes time
			return
		}
	}
	r.settle(s, msg)
}

// settleObjects is settle for results of which some are objects. It tells the server that
// the message has arrived.
func (r *runner) settleObjects(s *wire.Result, msg jetstream.Msg) {
	done := make(chan struct{})
	defer close(done)
	r.c.background(func() {
		ticker := time.NewTicker(resultAckWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = msg.InProgress() // if it is lost, the message is delivered again
			case <-done:
				return
			}
		}
	})
	r.settle(s, msg)
}

// settle records outcomes and then acknowledges the message.
func (r *runner) settle(s *wire.Result, msg jetstream.Msg) {
	r.mu.Lock()
	sent := r.inflight[s.Batch]
	r.mu.Unlock()
	portable := sent != nil && sent.to != r.c.build
	outcomes, errs := make([]mpremote.Outcome, len(s.Values)), make([]error, len(s.Values))
	for i, v := range s.Values {
		outcomes[i], errs[i] = r.outcome(v)
		outcomes[i].Portable = portable
	}
	r.mu.Lock()
	b := r.inflight[s.Batch]
	if b == nil {
		r.duplicates += len(s.Values)
	} else {
		if s.Elapsed > 0 {
			if b.q.perTask > 0 {
				s.Elapsed = (s.Elapsed + b.q.perTask) / 2
			}
			b.q.perTask = s.Elapsed
		}
		for i, at := range s.Indexes {
			if at >= len(b.tasks) {
				r.failLocked(b, fmt.Errorf("cluster: no result of %s: %w: the message with results names task %d of a batch of %d tasks", b.q.f.Name, wire.ErrMalformed, at, len(b.tasks)))
				break
			}
			r.settleLocked(b, at, outcomes[i], errs[i])
		}
	}
	r.mu.Unlock()
	if len(s.Broken) > 0 {
		r.breakDown(mpremote.Outcome{Failed: true, Portable: portable, Bytes: s.Broken}.Err())
	}
	_ = msg.Ack() // on an error it is delivered again, and its outcomes are ignored
	for i, v := range s.Values {
		if errs[i] == nil && (v.Form == wire.Object || v.Form == wire.FailedObject) {
			r.c.objects.Delete(string(v.Bytes))
		}
	}
}

// failDamaged ends the tasks of a batch whose results cannot be read, and cancels those that
// still run. The subject names the batch; if it names none, the message had output.
func (r *runner) failDamaged(subject string, err error) {
	id, _ := strconv.ParseUint(subject[strings.LastIndexByte(subject, '.')+1:], 10, 64)
	r.mu.Lock()
	b := r.inflight[id]
	if b == nil {
		r.mu.Unlock()
		return
	}
	r.failLocked(b, fmt.Errorf("cluster: no result of %s: %w; it is unknown whether the task has run", b.q.f.Name, err))
	r.mu.Unlock()
	canceled := wire.Cancel{Pool: r.id, Batch: id, Indexes: make([]int, len(b.tasks))}
	for i := range b.tasks {
		canceled.Indexes[i] = i
	}
	_ = r.c.conn.Publish(r.c.cancelSubject(), canceled.Encode()) // if the message is lost, the tasks run to their ends
}

// outcome returns the outcome that v holds, or fetches the object that v names. The bytes
// of an outcome that v holds are part of the message.
func (r *runner) outcome(v wire.Value) (mpremote.Outcome, error) {
	o := mpremote.Outcome{Failed: v.Form == wire.Failed || v.Form == wire.FailedObject, Bytes: v.Bytes}
	if v.Form == wire.Inline || v.Form == wire.Failed {
		return o, nil
	}
	ctx, cancel := context.WithTimeout(r.ctx, objectTimeout)
	defer cancel()
	b, err := r.c.objects.Get(ctx, string(v.Bytes), r.c.o.maxValue)
	if err != nil {
		return o, fmt.Errorf("cluster: cannot fetch the result of a task from the server: %w", err)
	}
	o.Bytes = b
	return o, nil
}
