package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/awaited"
	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/objectcache"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// maxCacheBytes limits the arguments that a process keeps for later tasks.
const maxCacheBytes = 256 << 20

// An agent takes batches of tasks from the stream and runs them in child processes.
type agent struct {
	c        *Cluster
	id       string
	slots    int
	offers   bool // other builds may send tasks: the server has the hashes of this program's functions
	consumer jetstream.Consumer
	objects  objectcache.Cache
	begins   *begins.Recorder
	ctx      context.Context
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup
	subs     []*nats.Subscription
	pools    awaited.Pools
	cancels  awaited.Cancels
	busy     atomic.Int64 // tasks that run
	done     atomic.Int64
	failed   atomic.Int64 // tasks of done that have no result
	brief    atomic.Bool  // the last batch took less than briefTime

	mu        sync.Mutex
	held      map[awaited.Key]*held
	executors map[string]*executor // by pool
	spare     *executor            // for the first pool of this process; nil once it is used
}

// newAgent makes an agent for n child processes, but does not start it.
func (c *Cluster) newAgent(n int) (*agent, error) {
	a := &agent{c: c, id: newID(), slots: n, pools: awaited.Pools{Since: time.Now(), Max: members.Max}, objects: objectcache.Cache{Limit: maxCacheBytes},
		held: make(map[awaited.Key]*held), executors: make(map[string]*executor)}
	a.begins = c.begins.Recorder(a.id)
	a.ctx, a.cancel = context.WithCancelCause(c.ctx)
	var err error
	if a.offers, err = c.storeOffer(a.ctx); err != nil {
		return nil, err
	}
	a.consumer, err = makeConsumer(a.ctx, c.tasks, jetstream.ConsumerConfig{
		Durable: "build-" + buildID(c.build), FilterSubject: c.taskSubject(buildID(c.build), "*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 1 << 16, InactiveThreshold: 24 * time.Hour, MaxRequestBatch: 1,
	})
	if err != nil {
		return nil, c.streamError(c.o.name+"-tasks", err)
	}
	// The children for the first pool of this process start now, not with its first task.
	if a.spare, err = a.newExecutor("", c.o.tries, mpremote.ExecutorOptions{Grace: mpremote.DefaultGrace}); err != nil {
		return nil, err
	}
	for subject, handle := range map[string]nats.MsgHandler{
		c.helloSubject(): func(m *nats.Msg) { _ = m.Respond(a.describe(false).Encode()) }, c.poolSubject(): a.poolSaid, c.cancelSubject(): a.cancelSaid, c.heldSubject(): a.askedForBatch,
	} {
		sub, err := c.conn.Subscribe(subject, handle)
		if err != nil {
			a.spare.Close()
			return nil, fmt.Errorf("cluster: cannot subscribe to the subject %s at %s: %w", subject, c.URL(), err)
		}
		a.subs = append(a.subs, sub)
	}
	return a, nil
}

func (a *agent) start() {
	a.announce(false)
	a.running.Go(a.heartbeat)
	a.running.Go(a.storeEnds)
	for i := range batchesPerSlot * a.slots {
		a.running.Go(func() { a.fetch(i >= a.slots) })
	}
}

// stop ends the agent. Other workers get the batches that it has not ended.
func (a *agent) stop() {
	a.cancel(mp.ErrClosed)
	a.mu.Lock()
	executors := a.executors
	if a.spare != nil {
		executors[""] = a.spare
	}
	a.executors, a.spare = nil, nil
	a.mu.Unlock()
	for _, x := range executors {
		x.Close()
	}
	a.running.Wait()
	for _, s := range a.subs {
		_ = s.Unsubscribe()
	}
	a.announce(true)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = a.begins.Leave(ctx) // what remains ages out
}

// describe returns what other processes learn of the agent.
func (a *agent) describe(leaving bool) *wire.Worker {
	host, _ := os.Hostname()
	return &wire.Worker{ID: a.id, Host: host, Program: programName(), PID: os.Getpid(), Build: a.c.build,
		Slots: a.slots, Running: int(a.busy.Load()), Done: int(a.done.Load()), Failed: int(a.failed.Load()), Restarts: a.restarts(),
		Interval: a.c.members.Interval(heartbeatInterval), Leaving: leaving, Offers: a.offers}
}

// announce tells all clients of the server that the agent exists, or that it leaves.
func (a *agent) announce(leaving bool) {
	w := a.describe(leaving)
	a.c.members.Update(w)
	_ = a.c.conn.Publish(a.c.workerSubject(), w.Encode()) // heartbeat repeats it
}

// briefTime limits fetching in advance: while batches run, an agent fetches further batches
// only if batches take less than briefTime. It leaves longer batches to other machines.
const briefTime = 50 * time.Millisecond

// fetch takes and runs one batch after the other. If ahead is true, it does so only while
// batches are brief: it fetches them in advance, so that the child processes do not wait
// for the next one.
func (a *agent) fetch(ahead bool) {
	for a.ctx.Err() == nil {
		delay := 100 * time.Millisecond
		if !ahead || a.brief.Load() {
			if err := a.fetchMessages(ahead); err == nil {
				continue
			}
			delay = 200 * time.Millisecond // the server or its stream cannot be reached
		}
		select {
		case <-time.After(delay):
		case <-a.ctx.Done():
		}
	}
}

// fetchMessages takes batches until taking fails or, if ahead is true, until they are no
// longer brief.
func (a *agent) fetchMessages(ahead bool) error {
	it, err := a.consumer.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(5*time.Second), jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return err
	}
	defer it.Stop()
	for !ahead || a.brief.Load() {
		msg, err := it.Next(jetstream.NextContext(a.ctx))
		if err != nil {
			return err
		}
		begin := time.Now()
		a.handle(msg)
		a.brief.Store(time.Since(begin) < briefTime)
	}
	return nil
}

func keyOf(b *wire.Batch) awaited.Key { return awaited.Key{Pool: b.Pool, Batch: b.ID} }

// A held is a batch that the agent runs.
type held struct {
	msg   jetstream.Msg
	tasks []*running // guarded by agent.mu
}

// handle runs the batch of a message.
func (a *agent) handle(msg jetstream.Msg) {
	b, err := wire.DecodeBatch(msg.Data())
	meta, metaErr := msg.Metadata()
	switch {
	case err != nil || metaErr != nil:
		a.storeDeadLetter(&wire.DeadLetter{Pool: "unknown", Error: errors.Join(err, metaErr).Error(), Arg: wire.Value{Bytes: msg.Data()}})
		a.refuse(msg)
	case !a.awaits(b.Pool):
		_ = msg.TermWithReason("the pool has ended")
	case meta.NumDelivered > 1:
		a.runAgain(b, msg)
	default:
		a.run(b, msg)
	}
}

// refuse drops the message of a batch that cannot be decoded. It tells the pool with an empty
// result. The id of the message that it drops contains the pool and the batch.
func (a *agent) refuse(msg jetstream.Msg) {
	parts := strings.Split(msg.Headers().Get(jetstream.MsgIDHeader)+".", ".")
	pool := parts[0]
	id, err := strconv.ParseUint(parts[1], 10, 64)
	if err == nil && idFormat.MatchString(pool) {
		if _, err := a.c.publish(a.ctx, a.c.resultSubject(pool, id), "", nil); err != nil {
			return // the batch is delivered again
		}
	}
	_ = msg.TermWithReason("malformed batch")
}

// hold records a batch so that heartbeats are sent for it. It returns nil if the agent runs
// the batch already: if a message is not handled in time, it is delivered again, and both
// arrive. Then msg replaces the older message.
func (a *agent) hold(b *wire.Batch, msg jetstream.Msg) *held {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := keyOf(b)
	if h := a.held[k]; h != nil {
		h.msg = msg
		return nil
	}
	h := &held{msg: msg}
	a.held[k] = h
	return h
}

// message returns the message of a batch that was delivered last.
func (a *agent) message(h *held) jetstream.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	return h.msg
}

// release forgets a batch, and returns its message.
func (a *agent) release(b *wire.Batch) jetstream.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := keyOf(b)
	msg := a.held[k].msg
	delete(a.held, k)
	return msg
}

// storeEnds periodically stores which batches have ended, if no batch begins meanwhile.
func (a *agent) storeEnds() {
	ticker := time.NewTicker(heartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = a.begins.Flush(a.ctx) // tried again with the next tick
		case <-a.ctx.Done():
			return
		}
	}
}

// heartbeat periodically tells the server that the batches are running, and other processes
// that the agent exists.
func (a *agent) heartbeat() {
	ticker := time.NewTicker(heartbeatInterval)
	defer ticker.Stop()
	for announced := time.Now(); ; {
		select {
		case <-ticker.C:
		case <-a.ctx.Done():
			return
		}
		a.mu.Lock()
		var msgs []jetstream.Msg
		for _, h := range a.held {
			msgs = append(msgs, h.msg)
		}
		a.mu.Unlock()
		for _, m := range msgs {
			_ = m.InProgress() // sent again later; if none arrives, another worker runs the batch, too
		}
		if time.Since(announced) >= a.c.members.Interval(heartbeatInterval)-heartbeatInterval/2 {
			announced = time.Now()
			a.announce(false)
		}
		a.dropExecutors()
	}
}

// cancelSaid handles a wire.Cancel message: it cancels tasks whose results are no longer
// awaited.
func (a *agent) cancelSaid(m *nats.Msg) {
	c, err := wire.DecodeCancel(m.Data)
	if err != nil {
		return
	}
	a.cancels.Add(c)
	a.cancelTasks(awaited.Key{Pool: c.Pool, Batch: c.Batch})
}

// cancelTasks cancels the tasks of a batch that are no longer awaited, if it runs.
func (a *agent) cancelTasks(k awaited.Key) {
	a.mu.Lock()
	var tasks []*running
	if h := a.held[k]; h != nil {
		for _, i := range a.cancels.Of(k) {
			if i < len(h.tasks) {
				tasks = append(tasks, h.tasks[i])
			}
		}
	}
	a.mu.Unlock()
	for _, t := range tasks {
		t.Cancel()
	}
}

// poolSaid handles a wire.Pool message: a pool exists or was closed.
func (a *agent) poolSaid(m *nats.Msg) {
	if p, err := wire.DecodePool(m.Data); err == nil {
		a.pools.Update(p)
	}
}

// awaits reports whether a pool may still wait for results. A job waits for results until it
// is deleted.
func (a *agent) awaits(pool string) bool {
	if jobs.Is(pool) {
		return !a.pools.IsClosed(pool)
	}
	return a.pools.Exists(pool)
}

// dropExecutors closes the executors of pools that are gone, and forgets old pools.
func (a *agent) dropExecutors() {
	a.mu.Lock()
	for k := range a.held {
		if x := a.executors[k.Pool]; x != nil && jobs.Is(k.Pool) {
			x.since = time.Now() // a job does not announce itself
		}
	}
	var gone []*executor
	for id, x := range a.executors {
		if a.pools.IsSilent(id) && time.Since(x.since) > awaited.Timeout || a.pools.IsClosed(id) {
			gone = append(gone, x)
			delete(a.executors, id)
		}
	}
	a.mu.Unlock()
	a.pools.Forget()
	for _, x := range gone {
		x.Close()
	}
}
