package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/awaited"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// heldTimeout is how long isHeldElsewhere waits for an answer.
const heldTimeout = 500 * time.Millisecond

// runAgain runs a batch that was delivered before, unless a process still runs it and only
// its heartbeats were late. Otherwise the worker was lost: runAgain counts the losses of
// the batch, and gives it up after b.Tries losses.
func (a *agent) runAgain(b *wire.Batch, msg jetstream.Msg) {
	if a.isHeld(b, msg) || a.isHeldElsewhere(b) {
		return // that process acknowledges the batch
	}
	lost, err := a.addLoss(b, 1)
	switch {
	case err != nil:
		_ = msg.NakWithDelay(time.Second)
	case lost >= b.Tries:
		a.giveUp(b, msg)
		a.forgetLosses(b)
	default:
		a.run(b, msg)
		a.forgetLosses(b)
	}
}

// isHeld reports whether this agent runs the batch. If it does, msg replaces the older
// message.
func (a *agent) isHeld(b *wire.Batch, msg jetstream.Msg) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.held[keyOf(b)]
	if h != nil {
		h.msg = msg
	}
	return h != nil
}

// isHeldElsewhere asks the other processes with workers whether one of them runs the batch.
func (a *agent) isHeldElsewhere(b *wire.Batch) bool {
	question := wire.Cancel{Pool: b.Pool, Batch: b.ID}
	_, err := a.c.conn.Request(a.c.heldSubject(), question.Encode(), heldTimeout)
	return err == nil
}

// askedForBatch answers isHeldElsewhere if this agent runs the batch.
func (a *agent) askedForBatch(m *nats.Msg) {
	q, err := wire.DecodeCancel(m.Data)
	if err != nil {
		return
	}
	a.mu.Lock()
	h := a.held[awaited.Key{Pool: q.Pool, Batch: q.Batch}]
	a.mu.Unlock()
	if h != nil {
		_ = m.Respond(nil)
	}
}

func lossKey(b *wire.Batch) string { return fmt.Sprintf("loss.%s.%d", b.Pool, b.ID) }

// addLoss adds n to the number of workers that were lost while they ran the batch, and
// returns the sum. A worker that stops normally adds -1, because the next delivery adds 1.
func (a *agent) addLoss(b *wire.Batch, n int) (sum int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	kv := a.c.values
	for {
		e, err := kv.Get(ctx, lossKey(b))
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
			if _, err = kv.Create(ctx, lossKey(b), []byte(strconv.Itoa(n))); err == nil {
				return n, nil
			}
		case err == nil:
			was, bad := strconv.Atoi(string(e.Value()))
			if bad != nil {
				return 0, fmt.Errorf("cluster: malformed count of losses: %w", bad)
			}
			if _, err = kv.Update(ctx, lossKey(b), []byte(strconv.Itoa(was+n)), e.Revision()); err == nil {
				return was + n, nil
			}
		}
		if !errors.Is(err, jetstream.ErrKeyExists) && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			return 0, err
		}
	}
}

// forgetLosses removes the count of a batch that has ended.
func (a *agent) forgetLosses(b *wire.Batch) {
	if a.ctx.Err() != nil {
		return // another worker gets the batch
	}
	ctx, cancel := context.WithTimeout(a.ctx, 10*time.Second)
	defer cancel()
	_ = a.c.values.Purge(ctx, lossKey(b)) // on an error the count remains
}
