// Package pools makes cases of package speedup that run on pools of package mp:
//
//	res, err := speedup.Measure(ctx, opts,
//		pools.Case(mp.Goroutines, work),
//		pools.Case(mp.Processes, work))
//
// A pool is started when a number of workers is first asked for, which is during
// the warm-up of a measurement, and is kept for the next one: what is measured is
// the work, not the start of processes.
package pools

import (
	"fmt"
	"sync"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/speedup"
)

// Case returns a case, named after the backend, that calls run with a pool of as
// many workers as are asked for. run does all of the work and returns when it is
// done.
func Case(b mp.Backend, run func(*mp.Pool) error) speedup.Case {
	return speedup.Case{Name: b.String(), Run: func(workers int) error {
		p, err := Get(b, workers)
		if err != nil {
			return err
		}
		return run(p)
	}}
}

type key struct {
	backend mp.Backend
	workers int
}

var kept = struct {
	sync.Mutex
	pools map[key]*mp.Pool
}{pools: make(map[key]*mp.Pool)}

// Get returns the pool of that many workers, which it starts if there is none. The
// pool belongs to all callers and must not be closed: see [CloseAll]. Get can be
// called concurrently.
func Get(b mp.Backend, workers int) (*mp.Pool, error) {
	kept.Lock()
	defer kept.Unlock()
	k := key{b, workers}
	if p := kept.pools[k]; p != nil {
		return p, nil
	}
	p, err := mp.NewPool(b, mp.Workers(workers))
	if err != nil {
		return nil, fmt.Errorf("pools: cannot start %d %v: %w", workers, b, err)
	}
	kept.pools[k] = p
	return p, nil
}

// CloseAll closes all pools, which ends their processes. The next Case or Get
// starts new ones.
func CloseAll() error {
	kept.Lock()
	defer kept.Unlock()
	var first error
	for k, p := range kept.pools {
		if err := p.Close(); err != nil && first == nil {
			first = err
		}
		delete(kept.pools, k)
	}
	return first
}
