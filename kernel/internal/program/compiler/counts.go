package compiler

import (
	"fmt"
	"sync"
)

// Counts says how many units were compiled: Units in all, Waiting of them by processes that had been waiting, the
// others not, for the reasons NoneReady to Failed. NoInlining and Declared count some of these units again.
type Counts struct {
	Units      int
	Waiting    int // units that were compiled by a process that had been waiting
	NoInlining int // those units of Waiting that were compiled without inlining
	Declared   int // units that were compiled in the form Unit.Declared, by any process
	NoneReady  int // no process was waiting, for example because the unit arrived before one was started
	Importcfg  int // the waiting process had the importcfg of other packages
	Files      int // the unit had more files than the waiting process could read
	Memory     int // the waiting process had another memory limit
	Failed     int // the waiting process failed, usually because of a mistake in the unit, or was interrupted
}

func (n Counts) String() string {
	return fmt.Sprintf("%d of %d units were compiled by a process that had waited (%d without inlining); for the others none was ready (%d), or it had other packages (%d), too few files (%d) or another memory limit (%d), or failed (%d)",
		n.Waiting, n.Units, n.NoInlining, n.NoneReady, n.Importcfg, n.Files, n.Memory, n.Failed)
}

// A counter is Counts with a mutex.
type counter struct {
	mu sync.Mutex
	n  Counts
}

func (c *counter) add(f func(*Counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.n)
}

// Counts returns the counts since New. It may be called concurrently with Compile.
func (c *Compiler) Counts() (n Counts) {
	c.counts.add(func(all *Counts) { n = *all })
	return n
}
