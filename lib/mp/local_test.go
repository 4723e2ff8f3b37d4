package mp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// TestLocalQueueLosesNothing: whatever happens at once, each value whose Put
// had no error is got once, those of one putter in their order.
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

type numbered struct{ putter, n int }

// crowd has putters put until the queue is closed, half-way, and getters get
// until it is empty. Some calls do not wait, or give up.
func crowd(t *testing.T, size, putters, getters int) {
	t.Helper()
	q, err := NewQueue[numbered](Goroutines, size)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const some = 2000
	var putting, getting sync.WaitGroup
	put, got := make([]int, putters), make([][]numbered, getters)
	for p := range putters {
		putting.Go(func() {
			for ; ; put[p]++ {
				if p == 0 && put[p] == some {
					q.Close()
				}
				if err := insist(ctx, q, numbered{p, put[p]}); err != nil {
					if !errors.Is(err, ErrClosed) {
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
					if !errors.Is(err, ErrClosed) {
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

// insist puts in all the ways there are.
func insist(ctx context.Context, q *Queue[numbered], v numbered) error {
	switch v.n % 3 {
	case 0:
		if err := q.TryPut(v); !errors.Is(err, ErrFull) {
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

func fetch(ctx context.Context, q *Queue[numbered], n int) (numbered, error) {
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

func checkDelivered(t *testing.T, put []int, got [][]numbered) {
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

// TestRingWraps: slots are used again, in their order, wherever the first one is.
func TestRingWraps(t *testing.T) {
	for _, size := range []int{1, 2, 3, 64} {
		e := call.ElemOf[int]()
		r := newRing(&e, size)
		v := 0
		const far = 1 << 40
		count := uint64(far - far%size)
		r.head.word.Store(count * endCount)
		r.tail.word.Store(count * endCount)
		r.seenHead, r.seenTail = count, count
		for i := range 5 * size {
			if state := r.get(unsafe.Pointer(&v)); state != ringEmpty {
				t.Fatalf("size %d: there is something in it: %v", size, state)
			}
			for k := range size {
				if state := r.put(number(i + k)); state != ringDone || r.length() != k+1 {
					t.Fatalf("size %d: put %d: %v, length %d", size, k, state, r.length())
				}
			}
			if state := r.put(number(0)); state != ringFull {
				t.Fatalf("size %d: not full: %v", size, state)
			}
			for k := range size {
				if state := r.get(unsafe.Pointer(&v)); state != ringDone || v != i+k {
					t.Fatalf("size %d: got %d, %v", size, v, state)
				}
			}
			// The next round begins at another slot.
			if r.put(number(7)) != ringDone {
				t.Fatal("there was room")
			}
			if r.get(unsafe.Pointer(&v)); v != 7 {
				t.Fatal(v)
			}
		}
		r.close()
		if state := r.get(unsafe.Pointer(&v)); state != ringEnded || r.put(number(0)) != ringEnded {
			t.Errorf("size %d: not closed", size)
		}
	}
}

// TestEndlessQueueKeepsOrder, over the change from ring to ring.
func TestEndlessQueueKeepsOrder(t *testing.T) {
	q, err := NewQueue[int](Goroutines, 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 5 * lastRing
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

func number(n int) unsafe.Pointer { return unsafe.Pointer(&n) }
