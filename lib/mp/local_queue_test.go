package mp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestLocalQueueLosesNothing checks that each value whose Put succeeded is taken
// exactly once, and that the values of one goroutine are taken in their order, under
// concurrent calls of all kinds.
func TestLocalQueueLosesNothing(t *testing.T) {
	for _, size := range []int{0, 1, 2, 63, 64, 65, 1000} {
		for _, others := range []int{1, 4} {
			t.Run(fmt.Sprintf("size %d, %d each", size, others), func(t *testing.T) {
				for range 10 {
					crowd(t, size, others, others)
				}
			})
		}
	}
}

type numberedValue struct{ putter, n int }

// crowd runs goroutines that put values until the queue is closed half-way, and others that
// get values until the queue is empty. Some calls do not wait, or have a context that ends.
func crowd(t *testing.T, size, putters, getters int) {
	t.Helper()
	q, err := mp.NewQueue[numberedValue](mp.Goroutines, size)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const some = 2000
	var putting, getting sync.WaitGroup
	put, got := make([]int, putters), make([][]numberedValue, getters)
	for p := range putters {
		putting.Go(func() {
			for ; ; put[p]++ {
				if p == 0 && put[p] == some {
					q.Close()
				}
				if err := insist(ctx, q, numberedValue{p, put[p]}); err != nil {
					if !errors.Is(err, mp.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	for g := range getters {
		getting.Go(func() {
			for {
				v, err := fetch(ctx, q, len(got[g]))
				if err != nil {
					if !errors.Is(err, mp.ErrClosed) {
						t.Error(err)
					}
					return
				}
				got[g] = append(got[g], v)
			}
		})
	}
	putting.Wait()
	getting.Wait()
	if n := q.Len(); n != 0 {
		t.Errorf("%d values are left", n)
	}
	checkDelivered(t, put, got)
}

// insist puts v. Some calls first try TryPut, or a Put whose context ends soon.
func insist(ctx context.Context, q *mp.Queue[numberedValue], v numberedValue) error {
	switch v.n % 3 {
	case 0:
		if err := q.TryPut(v); !errors.Is(err, mp.ErrFull) {
			return err
		}
	case 1:
		short, cancel := context.WithTimeout(ctx, time.Microsecond)
		defer cancel()
		if err := q.Put(short, v); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	return q.Put(ctx, v)
}

func fetch(ctx context.Context, q *mp.Queue[numberedValue], n int) (numberedValue, error) {
	switch n % 3 {
	case 0:
		if v, ok, err := q.TryGet(); ok || err != nil {
			return v, err
		}
	case 1:
		short, cancel := context.WithTimeout(ctx, time.Microsecond)
		defer cancel()
		if v, err := q.Get(short); !errors.Is(err, context.DeadlineExceeded) {
			return v, err
		}
	}
	return q.Get(ctx)
}

func checkDelivered(t *testing.T, put []int, got [][]numberedValue) {
	t.Helper()
	seen := make([]map[int]bool, len(put))
	for p := range seen {
		seen[p] = map[int]bool{}
	}
	for _, values := range got {
		last := make([]int, len(put))
		for p := range last {
			last[p] = -1
		}
		for _, v := range values {
			if v.n <= last[v.putter] {
				t.Fatalf("putter %d: %d came after %d", v.putter, v.n, last[v.putter])
			}
			last[v.putter] = v.n
			if seen[v.putter][v.n] {
				t.Fatalf("putter %d: %d came twice", v.putter, v.n)
			}
			seen[v.putter][v.n] = true
		}
	}
	for p, n := range put {
		if len(seen[p]) != n {
			t.Fatalf("putter %d: %d values were put, %d came", p, n, len(seen[p]))
		}
	}
}

// TestEndlessQueueKeepsOrder checks the order of values when a queue changes from one
// ring to the next.
func TestEndlessQueueKeepsOrder(t *testing.T) {
	q, err := mp.NewQueue[int](mp.Goroutines, 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 5 << 14 // more values than the largest ring holds
	for i := range n {
		if err := q.TryPut(i); err != nil {
			t.Fatal(err)
		}
		if got := q.Len(); got != i+1 {
			t.Fatalf("Len is %d after %d", got, i+1)
		}
	}
	for i := range n {
		if v, ok, err := q.TryGet(); v != i || !ok || err != nil {
			t.Fatal(i, v, ok, err)
		}
	}
	if v, ok, err := q.TryGet(); ok || err != nil {
		t.Fatal(v, ok, err)
	}
}
