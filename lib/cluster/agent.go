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

	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/objectcache"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
)

// poolTimeout is how long after its last announcement a pool counts as existing. Then its
// tasks are dropped.
const poolTimeout = time.Minute

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
	ctx      context.Context
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup
	subs     []*nats.Subscription
	since    time.Time
	busy     atomic.Int64 // tasks that run
	done     atomic.Int64
	brief    atomic.Bool // the last batch took less than briefTime

	mu        sync.Mutex
	held      map[heldKey]*held
	executors map[string]*executor // by pool
	spare     *executor            // for the first pool of this process; nil once it is used
	pools     map[string]time.Time // when each pool last announced itself; zero if it was closed
	cancels   map[heldKey][]int    // indexes of cancelled tasks, including those of batches that have not arrived
	cancelled []heldKey            // the keys of cancels, the oldest first
}

// newAgent makes an agent for n child processes, but does not start it.
func (c *Cluster) newAgent(n int) (*agent, error) {
	a := &agent{c: c, id: newID(), slots: n, since: time.Now(), objects: objectcache.Cache{Limit: maxCacheBytes},
		held: make(map[heldKey]*held), executors: make(map[string]*executor), pools: make(map[string]time.Time),
		cancels: make(map[heldKey][]int)}
	a.ctx, a.cancel = context.WithCancelCause(c.ctx)
	var err error
	if a.offers, err = c.storeOffer(a.ctx); err != nil {
		return nil, err
	}
	a.consumer, err = c.tasks.CreateOrUpdateConsumer(a.ctx, jetstream.ConsumerConfig{
		Durable: "build-" + buildID(c.build), FilterSubject: c.taskSubject(buildID(c.build), "*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 1 << 16, InactiveThreshold: 24 * time.Hour, MaxRequestBatch: 1,
	})
	if err != nil {
		return nil, c.streamError(c.o.name+"-tasks", err)
	}
	// The children for the first pool of this process start now, not with its first task.
	if a.spare, err = a.newExecutor("", c.o.tries); err != nil {
		return nil, err
	}
	for subject, handle := range map[string]nats.MsgHandler{
		c.helloSubject(): func(*nats.Msg) { a.announce(false) }, c.poolSubject(): a.poolSaid, c.cancelSubject(): a.cancelSaid, c.heldSubject(): a.askedForBatch,
	} {
		sub, err := c.conn.Subscribe(subject, handle)
		if err != nil {
			a.spare.Close()
			return nil, fmt.Errorf("cluster: %w", err)
		}
		a.subs = append(a.subs, sub)
	}
	return a, nil
}

func (a *agent) start() {
	a.announce(false)
	a.running.Go(a.heartbeat)
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
}

// announce tells all clients of the server that the agent exists, or that it leaves.
func (a *agent) announce(leaving bool) {
	host, _ := os.Hostname()
	w := wire.Worker{ID: a.id, Host: host, Program: programName(), PID: os.Getpid(), Build: a.c.build,
		Slots: a.slots, Running: int(a.busy.Load()), Done: int(a.done.Load()), Restarts: a.restarts(), Leaving: leaving, Offers: a.offers}
	a.c.members.Update(&w)
	_ = a.c.conn.Publish(a.c.workerSubject(), w.Encode()) // heartbeat repeats it
}

// briefTime limits fetching in advance: an agent fetches further batches while it runs
// others only if batches take less than briefTime. Longer ones are left to other machines.
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

// fetchMessages takes batches until that fails, or until they are no longer brief if ahead
// is true.
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

// A heldKey identifies a batch.
type heldKey struct {
	pool  string
	batch uint64
}

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
	case !a.awaited(b.Pool):
		_ = msg.TermWithReason("the pool is gone")
	case meta.NumDelivered > 1:
		a.runAgain(b, msg)
	default:
		a.run(b, msg)
	}
}

// refuse drops the message of a batch that cannot be decoded. It tells the pool with an empty
// message; the id of the message contains the pool and the batch.
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

// hold records a batch so that heartbeats are sent for it.
func (a *agent) hold(b *wire.Batch, msg jetstream.Msg) *held {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := &held{msg: msg}
	a.held[heldKey{b.Pool, b.ID}] = h
	return h
}

// release forgets a batch, and returns its message.
func (a *agent) release(b *wire.Batch) jetstream.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := heldKey{b.Pool, b.ID}
	msg := a.held[k].msg
	delete(a.held, k)
	return msg
}

// heartbeat periodically tells the server that the batches are running, and other processes
// that the agent exists.
func (a *agent) heartbeat() {
	ticker := time.NewTicker(heartbeatInterval)
	defer ticker.Stop()
	for {
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
			_ = m.InProgress() // repeated; if none arrives, another worker runs the batch, too
		}
		a.announce(false)
		a.dropExecutors()
	}
}

// maxCancels is how many batches with cancelled tasks an agent remembers.
const maxCancels = 1 << 12

// cancelSaid handles a wire.Cancel message: it cancels tasks whose results are no longer
// awaited.
func (a *agent) cancelSaid(m *nats.Msg) {
	c, err := wire.DecodeCancel(m.Data)
	if err != nil {
		return
	}
	k := heldKey{c.Pool, c.Batch}
	a.mu.Lock()
	if _, ok := a.cancels[k]; !ok {
		a.cancelled = append(a.cancelled, k)
	}
	if a.cancels[k] = append(a.cancels[k], c.Indexes...); len(a.cancels[k]) > wire.MaxTasks {
		a.cancels[k] = a.cancels[k][:wire.MaxTasks] // a batch has no more tasks
	}
	if len(a.cancelled) > maxCancels {
		delete(a.cancels, a.cancelled[0])
		a.cancelled = a.cancelled[1:]
	}
	a.mu.Unlock()
	a.cancelTasks(k)
}

// cancelTasks cancels the tasks of a batch that are no longer awaited, if it runs.
func (a *agent) cancelTasks(k heldKey) {
	a.mu.Lock()
	var tasks []*running
	if h := a.held[k]; h != nil {
		for _, i := range a.cancels[k] {
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
	p, err := wire.DecodePool(m.Data)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.Closed {
		a.pools[p.ID] = time.Time{}
	} else {
		a.pools[p.ID] = time.Now()
	}
}

// awaited reports whether a pool may still wait for results: it is not closed, and has
// announced itself within poolTimeout. A pool without an announcement counts as announced
// when the agent was made.
func (a *agent) awaited(pool string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen, ok := a.pools[pool]
	switch {
	case isJob(pool):
		return !a.closedLocked(pool)
	case !ok:
		seen = a.since
	}
	return time.Since(seen) < poolTimeout
}

// dropExecutors closes the executors of pools that are gone, and forgets old pools.
func (a *agent) dropExecutors() {
	a.mu.Lock()
	for k := range a.held {
		if x := a.executors[k.pool]; x != nil && isJob(k.pool) {
			x.since = time.Now() // a job does not announce itself
		}
	}
	var gone []*executor
	for id, x := range a.executors {
		if time.Since(a.pools[id]) > poolTimeout && time.Since(x.since) > poolTimeout || a.closedLocked(id) {
			gone = append(gone, x)
			delete(a.executors, id)
		}
	}
	for id, seen := range a.pools {
		if time.Since(seen) > 10*poolTimeout && !seen.IsZero() || len(a.pools) > members.Max {
			delete(a.pools, id)
		}
	}
	a.mu.Unlock()
	for _, x := range gone {
		x.Close()
	}
}

func (a *agent) closedLocked(pool string) bool {
	seen, ok := a.pools[pool]
	return ok && seen.IsZero()
}
