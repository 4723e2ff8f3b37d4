package cluster

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// collect begins to receive the results of the pool.
func (r *runner) collect() error {
	consumer, err := r.c.results.CreateConsumer(r.ctx, jetstream.ConsumerConfig{
		Durable: r.consumerName(), FilterSubject: r.c.resultSubject(r.id), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: time.Minute, InactiveThreshold: 10 * time.Minute, MaxAckPending: 1 << 14, MemoryStorage: true,
	})
	if err != nil {
		return r.c.streamError(r.c.o.name+"-results", err)
	}
	if r.consume, err = consumer.Consume(r.receive, jetstream.PullMaxBytes(16<<20)); err != nil {
		return fmt.Errorf("cluster: cannot receive results: %w", err)
	}
	return nil
}

// receive handles a message of the stream of results. A message that cannot be decoded is
// dropped: no worker of this build sends such a message.
func (r *runner) receive(msg jetstream.Msg) {
	s, err := wire.DecodeResult(msg.Data())
	if err != nil || s.Pool != r.id {
		_ = msg.TermWithReason("malformed result")
		return
	}
	_, _ = os.Stdout.Write(s.Stdout)
	_, _ = os.Stderr.Write(s.Stderr)
	for _, v := range s.Values {
		if v.Form == wire.Object || v.Form == wire.FailedObject {
			r.c.background(func() { r.settle(s, msg) }) // fetching takes time
			return
		}
	}
	r.settle(s, msg)
}

// settle records outcomes and then acknowledges the message.
func (r *runner) settle(s *wire.Result, msg jetstream.Msg) {
	outcomes, errs := make([]mpremote.Outcome, len(s.Values)), make([]error, len(s.Values))
	for i, v := range s.Values {
		outcomes[i], errs[i] = r.outcome(v)
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
			if at < len(b.tasks) {
				r.settleLocked(b, at, outcomes[i], errs[i])
			}
		}
	}
	r.mu.Unlock()
	_ = msg.Ack() // on an error it is delivered again, and its outcomes are ignored
}

// outcome returns the outcome that v holds, or fetches the object that v names. The bytes
// of an outcome that v holds are part of the message.
func (r *runner) outcome(v wire.Value) (mpremote.Outcome, error) {
	o := mpremote.Outcome{Failed: v.Form == wire.Failed || v.Form == wire.FailedObject, Bytes: v.Bytes}
	if v.Form == wire.Inline || v.Form == wire.Failed {
		return o, nil
	}
	ctx, cancel := context.WithTimeout(r.ctx, publishTimeout)
	defer cancel()
	b, err := r.c.getObject(ctx, string(v.Bytes), r.c.o.maxValue)
	if err != nil {
		return o, fmt.Errorf("cluster: cannot fetch a result: %w", err)
	}
	r.c.deleteObject(string(v.Bytes))
	o.Bytes = b
	return o, nil
}
