// Calls prints how long some calls of package mp take. Each line has a name, a tab, and the nanoseconds per call of the
// fastest of several tries. Program bench/tracing runs Calls. Calls uses only old functions of package mp, so that it also
// builds with older versions.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A measurement makes n calls of a function.
type measurement struct {
	name string
	n    int
	run  func(n int) error
}

func increment(x int) int { return x + 1 }

func main() {
	mp.Init()
	tries := flag.Int("tries", 1, "how often to measure each")
	flag.Parse()
	var all []measurement
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		all = append(all,
			measurement{"mutex, " + b.String(), 400_000, func(n int) error { return lock(b, n) }},
			measurement{"queue, " + b.String(), 80_000, func(n int) error { return pass(b, 0, n) }},
			measurement{"queue of size 1, " + b.String(), 80_000, func(n int) error { return pass(b, 1, n) }},
			measurement{"task, " + b.String(), 100_000, func(n int) error { return tasks(b, n) }},
		)
	}
	for _, m := range all {
		if err := m.print(*tries); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			os.Exit(1)
		}
	}
}

// print makes a quarter of the calls to warm up, and then measures all and prints the
// result.
func (m measurement) print(tries int) error {
	if err := m.run(m.n / 4); err != nil {
		return err
	}
	best := time.Duration(1 << 62)
	for range tries {
		began := time.Now()
		if err := m.run(m.n); err != nil {
			return err
		}
		best = min(best, time.Since(began))
	}
	fmt.Printf("%s\t%.3f\n", m.name, float64(best.Nanoseconds())/float64(m.n))
	return nil
}

func lock(b mp.Backend, n int) error {
	m, err := mp.NewMutex(b)
	if err != nil {
		return err
	}
	defer m.Close()
	counted := 0
	for range n {
		m.Lock()
		counted++
		m.Unlock()
	}
	if counted != n {
		return fmt.Errorf("the counter is %d after %d increments under an mp.Mutex", counted, n)
	}
	return nil
}

// pass puts and gets values.
func pass(b mp.Backend, size, n int) error {
	q, err := mp.NewQueue[int](b, size)
	if err != nil {
		return err
	}
	defer q.Close()
	ctx := context.Background()
	for i := range n {
		if err := q.Put(ctx, i); err != nil {
			return err
		}
		if _, err := q.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

func tasks(b mp.Backend, n int) error {
	pool, err := mp.NewPool(b, mp.Workers(1))
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = mp.Map[int](context.Background(), pool, increment, make([]int, n))
	return err
}
