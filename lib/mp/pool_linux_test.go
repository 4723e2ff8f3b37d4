package mp_test

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestPoolOutlivesItsWorkers kills workers at random while a pool has many tasks. With
// retries all results must arrive, in their order.
func TestPoolOutlivesItsWorkers(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(parties), mp.Retries(1000))
	over := make(chan struct{})
	t.Cleanup(func() { <-over })
	kills := 0
	go func() {
		defer close(over)
		for range *stressTurns {
			time.Sleep(rand.N(20 * time.Millisecond)) // a child starts within 2 ms
			if t.Context().Err() != nil {
				return
			}
			if pids := children(t); len(pids) > 0 && syscall.Kill(pids[rand.N(len(pids))], syscall.SIGKILL) == nil {
				kills++
			}
		}
	}()
	for done := false; !done; {
		select {
		case <-over:
			done = true
		default:
		}
		xs := upTo(20_000)
		ys, err := mp.Map[int](watchdog(t), p, square, xs)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range ys {
			if y != i*i {
				t.Fatalf("result %d is %d", i, y)
			}
		}
		n := 0
		for y, err := range mp.Stream[string](watchdog(t), p, shout, slices.Values([]string{"a", "b", "c"})) {
			if err != nil || y != shout(string(rune('a'+n))) {
				t.Fatalf("result %d is %q, %v", n, y, err)
			}
			n++
		}
	}
	t.Logf("%d kills, %+v", kills, p.Stats())
}
