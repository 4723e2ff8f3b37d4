package cluster

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/awaited"
	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// heldTimeout is how long isHeldElsewhere waits for an answer.
const heldTimeout = 500 * time.Millisecond

// runAgain runs a batch that was delivered before, unless a process still runs it and only
// its heartbeats were late. If as many processes as b.Tries were lost after they had begun
// the batch, runAgain gives it up. A message that was lost on its way to a worker does not count.
func (a *agent) runAgain(b *wire.Batch, msg jetstream.Msg) {
	if a.isHeld(b, msg) || a.isHeldElsewhere(b) {
		return // that process acknowledges the batch
	}
	lost, err := a.begins.Lost(a.ctx, begins.Batch{Pool: b.Pool, ID: b.ID})
	switch {
	case err != nil:
		_ = msg.NakWithDelay(time.Second)
	case lost >= b.Tries:
		a.giveUp(b, msg)
	default:
		a.run(b, msg)
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

// acknowledge tells the server that a batch has ended. If a task may begin only once, it waits
// until the server has stored the acknowledgement. Otherwise, if the message is lost, the batch
// runs again, and its outcomes are ignored.
func (a *agent) acknowledge(b *wire.Batch, msg jetstream.Msg) {
	if b.Tries > 1 {
		_ = msg.Ack()
		return
	}
	_ = servers.Retry(a.ctx, func(ctx context.Context, _ bool) error {
		_, err := a.c.conn.RequestWithContext(ctx, msg.Reply(), []byte("+ACK"))
		return err
	})
}
