package cluster

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/refusal"
	"github.com/perijove/perijove/lib/mp/mpremote"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// A function of another build is recognized by the hash of its source. Each process whose
// program has registered functions stores the hashes of its source on the server, and a
// pool sends a task only to builds whose hash of the function is the same.

type build = members.Build

func offerKey(b build) string { return "program." + hex.EncodeToString(b[:]) }

// storeOffer stores the hashes of this program, if it has registered functions. It reports
// whether it has.
func (c *Cluster) storeOffer(ctx context.Context) (bool, error) {
	if !mpremote.Registers() {
		return false, nil
	}
	text, err := json.Marshal(mpsource.Current().Program)
	if err == nil {
		err = c.values.Put(ctx, offerKey(c.build), text)
	}
	if err != nil {
		return false, fmt.Errorf("cluster: cannot store the hashes of this program's functions at %s: %w", c.URL(), err)
	}
	return true, nil
}

// offerOf returns the hashes of another build, or nil if they are not known yet. Then it
// begins to read them.
func (c *Cluster) offerOf(b build) *mpsource.Table {
	return c.offers.Of(b, func() { c.background(func() { c.readOffer(b) }) })
}

// readOffer reads the hashes of another build, and lets the pools send tasks there.
func (c *Cluster) readOffer(b build) {
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	e, err := c.values.Get(ctx, offerKey(b))
	if err != nil {
		return // offerOf tries again
	}
	table, err := mpsource.Decode(e.Value)
	if err != nil {
		return
	}
	c.offers.Set(b, table)
	c.mu.Lock()
	var pools []*runner
	for _, r := range c.pools {
		pools = append(pools, r)
	}
	c.mu.Unlock()
	for _, r := range pools {
		r.checkWorkers()
	}
}

// A target is a build whose workers can run a function.
type target struct {
	build build
	slots int
}

// targets returns the builds with workers that can run f.
func (r *runner) targets(f *mpremote.Func) (list []target) {
	for _, m := range r.c.members.Current() {
		if m.Build != r.c.build && (!m.Offers || !r.offers(m.Build, f) || r.initializer() != nil && !r.offers(m.Build, r.initializer())) {
			continue
		}
		i := slices.IndexFunc(list, func(t target) bool { return t.build == m.Build })
		if i < 0 {
			i = len(list)
			list = append(list, target{build: m.Build})
		}
		list[i].slots += m.Slots
	}
	return list
}

func (r *runner) offers(b build, f *mpremote.Func) bool {
	if f.Source == nil {
		return false
	}
	table := r.c.offerOf(b)
	return table != nil && table.Offers(f.Source)
}

// initializer returns the function of the pool's Initializer, or nil.
func (r *runner) initializer() *mpremote.Func {
	if o := r.options.Options; o != nil && o.Initializer != nil {
		return o.Initializer.Func
	}
	return nil
}

// destinationLocked returns the target with the fewest batches in relation to its slots, or
// nil if all targets have enough batches. A function that only this build has is also sent
// if no worker is there yet.
func (r *runner) destinationLocked(f *mpremote.Func, targets []target) *target {
	if len(targets) == 0 && f.Source == nil {
		targets = []target{{build: r.c.build, slots: 1}}
	}
	var best *target
	for i := range targets {
		t := &targets[i]
		if n := r.sent[t.build]; n < max(8, batchesPerSlot*t.slots) && (best == nil || n*best.slots < r.sent[best.build]*t.slots) {
			best = t
		}
	}
	return best
}

// moveLocked takes back a batch whose workers have gone, so that its tasks are sent elsewhere.
func (r *runner) moveLocked(b *batch) {
	delete(r.inflight, b.id)
	r.sent[b.to]--
	var tasks []*task
	for i, t := range b.tasks {
		if t != nil {
			t.batch, b.tasks[i] = nil, nil
			tasks = append(tasks, t)
		}
	}
	b.q.pending = append(tasks, b.q.pending...)
	b.left, b.drop = 0, true
	if b.seq > 0 {
		r.c.background(func() { r.remove(b) })
		r.c.background(func() { r.ended(b) })
	}
}

// noWorkers returns the error of tasks of f if no worker can run them.
func (r *runner) noWorkers(f *mpremote.Func) error {
	why := refusal.Reason{URL: r.c.URL(), Build: r.c.build, Offer: r.c.offerOf, First: r.initializer()}
	return fmt.Errorf("cluster: %w: %s", ErrNoWorkers, why.Of(f, r.c.members.Current()))
}
