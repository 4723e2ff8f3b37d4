// Package pools makes cases for package speedup that run on pools of package mp:
//
//	res, err := speedup.Measure(ctx, opts,
//		pools.Case(mp.Goroutines, work),
//		pools.Case(mp.Processes, work))
//
// The first run with a number of workers starts the pool, which happens in the warm-up
// of a measurement. Later runs and measurements use the same pool. So a measurement
// includes the work, but not the start of processes.
package pools

import (
	"fmt"
	"sync"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/speedup"
)

// Case returns a case, named after the backend, that calls run with a pool of the
// requested number of workers. run must do all of the work before it returns.
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

// Get returns the pool with the given number of workers. It starts one if there is
// none. All callers share the pool, so they must not close it; [CloseAll] does. Get can
// be called concurrently.
func Get(b mp.Backend, workers int) (*mp.Pool, error) {
	kept.Lock()
	defer kept.Unlock()
	k := key{b, workers}
	if p := kept.pools[k]; p != nil {
		return p, nil
	}
	p, err := mp.NewPool(b, mp.Workers(workers))
	if err != nil {
		return nil, fmt.Errorf("pools: cannot start a pool with %d workers that are %v: %w", workers, b, err)
	}
	kept.pools[k] = p
	return p, nil
}

// CloseAll closes all pools, which ends their processes, and returns the first error.
// The next Get or run of a Case starts a new pool.
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
