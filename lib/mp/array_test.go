package mp_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestSliceOutlivesItsArray checks that the memory of an Array lives while a slice of
// it is reachable.
func TestSliceOutlivesItsArray(t *testing.T) {
	slices := make([][]int, 20)
	for i := range slices {
		a := made(mp.NewArray[int](mp.Processes, 30_000))
		slices[i] = a.Slice()
		if i%2 == 0 {
			a.Close()
		}
	}
	var kept [][]int
	for round := range 10 {
		for _, s := range slices {
			for i := range s {
				s[i]++
			}
		}
		kept = append(kept, make([]int, 40_000))
		runtime.GC()
		dropped := made(mp.NewArray[int](mp.Processes, 30_000)).Slice()
		for i := range dropped {
			if dropped[i] != 0 {
				t.Fatalf("round %d: a new Array is not zero", round)
			}
			dropped[i] = -1
		}
	}
	for _, s := range slices {
		for i, n := range s {
			if n != 10 {
				t.Fatalf("element %d is %d, want 10", i, n)
			}
		}
	}
	for _, s := range kept {
		for i, n := range s {
			if n != 0 {
				t.Fatalf("element %d of other memory is %d", i, n)
			}
		}
	}
}

// addOne runs in several processes at a time, so the additions are atomic.
func addOne(a *mp.Array[int64]) error {
	s := a.Slice()
	a.Close()
	for range 3 {
		runtime.GC()
	}
	for i := range s {
		atomic.AddInt64(&s[i], 1)
	}
	return nil
}

// TestSliceIsSharedAfterClose checks that a slice stays shared memory after garbage
// collections in both processes.
func TestSliceIsSharedAfterClose(t *testing.T) {
	a := made(mp.NewArray[int64](mp.Processes, 10_000))
	s := a.Slice()
	team(t, mp.Processes, addOne, a)
	a.Close()
	runtime.GC()
	for i, n := range s {
		if n != parties {
			t.Fatalf("element %d is %d, want %d", i, n, parties)
		}
	}
	_, err := mp.Start(watchdog(t), mp.Processes, addOne, a)
	refused(t, err, "Array", "closed")
}

func TestArrayOfAtomics(t *testing.T) {
	a := made(mp.NewArray[atomic.Int64](mp.Processes, 2))
	team(t, mp.Processes, func(a *mp.Array[atomic.Int64]) error {
		for range 1000 {
			a.Slice()[1].Add(1)
		}
		return nil
	}, a)
	if n := a.Slice()[1].Load(); n != parties*1000 {
		t.Errorf("counted %d", n)
	}
}

type guarded struct {
	N    int
	Deep [2]struct{ Mu sync.Mutex }
}

func TestElementTypesAreCheckedToTheBottom(t *testing.T) {
	_, err := mp.NewArray[guarded](mp.Processes, 1)
	refused(t, err, "guarded.Deep[].Mu", "sync.Mutex", "one process")
	_, err = mp.NewArray[struct{ Once sync.Once }](mp.Goroutines, 1)
	refused(t, err, "Once", "sync.Once")
	_, err = mp.NewArray[atomic.Pointer[int]](mp.Processes, 1)
	refused(t, err, "pointer")
	_, err = mp.NewArray[atomic.Value](mp.Processes, 1)
	refused(t, err, "pointer")
	_, err = mp.NewValue(mp.Processes, struct{ Rest [0]*int }{})
	if err != nil {
		t.Errorf("no element, no pointer: %v", err)
	}
}

// TestBounds checks that sizes that are too large or invalid are errors, and do not end
// the program.
func TestBounds(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		_, err := mp.NewArray[int64](b, -1)
		refused(t, err, "-1")
		_, err = mp.NewArray[int64](b, 1<<62)
		refused(t, err, "4611686018427387904", "larger than")
		_, err = mp.NewArray[int64](b, 1<<42)
		refused(t, err, "bytes")
		_, err = mp.NewSemaphore(b, -1)
		refused(t, err, "-1 units")
		_, err = mp.NewSemaphore(b, 1<<40)
		refused(t, err, "units")
		_, err = mp.NewBarrier(b, 0)
		refused(t, err, "0 parties")
		_, err = mp.NewBarrier(b, 1<<40)
		refused(t, err, "parties")
		_, err = mp.NewQueue[int](b, -1)
		refused(t, err, "-1")
		_, err = mp.NewQueue[int](b, 1<<40)
		refused(t, err, "1099511627776")
	})
}

func takeQuickly(q *mp.Queue[[]byte]) (int, error) {
	n := 0
	for _, err := range q.All(context.Background()) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func putQuickly(q *mp.Queue[[]byte]) (int, error) {
	for n := 0; ; n++ {
		if err := q.Put(context.Background(), make([]byte, 8)); err != nil {
			if strings.Contains(err.Error(), "closed") {
				return n, nil
			}
			return n, err
		}
	}
}

// TestCloseLosesNothing checks that every value whose Put succeeded can be taken, even
// if the queue is closed meanwhile.
func TestCloseLosesNothing(t *testing.T) {
	for range 10 {
		q := made(mp.NewQueue[[]byte](mp.Processes, 0))
		var putters, getters []*mp.Call[int]
		for range 2 {
			getters = append(getters, made(mp.Go[int](watchdog(t), mp.Processes, takeQuickly, q)))
			putters = append(putters, made(mp.Go[int](watchdog(t), mp.Processes, putQuickly, q)))
		}
		for q.Len() == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(3 * time.Millisecond)
		q.Close()
		put, got := 0, 0
		for i := range putters {
			n, err := putters[i].Result(watchdog(t))
			if err != nil {
				t.Fatal(err)
			}
			m, err := getters[i].Result(watchdog(t))
			if err != nil {
				t.Fatal(err)
			}
			put, got = put+n, got+m
		}
		if put != got {
			t.Fatalf("put %d, got %d, %d are left", put, got, q.Len())
		}
	}
}

type meeting struct {
	Gate *mp.Barrier
	Met  *mp.Value[int]
}

func meet(m meeting) error {
	for {
		if _, err := m.Gate.Wait(context.Background()); err != nil {
			return err
		}
		mp.Add(m.Met, 1)
	}
}

// TestBarrierAfterDeath checks that a barrier works after Reset if a party was killed at
// a random moment.
func TestBarrierAfterDeath(t *testing.T) {
	m := meeting{made(mp.NewBarrier(mp.Processes, 2)), made(mp.NewValue(mp.Processes, 0))}
	for round := range 10 {
		p := made(mp.Start(t.Context(), mp.Processes, meet, m))
		for range 100 * (round + 1) {
			if _, err := m.Gate.Wait(watchdog(t)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.Join(watchdog(t))
		m.Gate.Reset()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, err := m.Gate.Wait(watchdog(t)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

func fill(a *mp.Array[float64]) error {
	for i := range a.Slice() {
		a.Slice()[i] = float64(i) / 2
	}
	return nil
}

func TestArrayIsShared(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		a := made(mp.NewArray[float64](b, 10_000))
		p := made(mp.Start(watchdog(t), b, fill, a))
		endsWith(t, p, nil, "", 0)
		for i, v := range a.All() {
			if v != float64(i)/2 {
				t.Fatalf("element %d is %v", i, v)
			}
		}
	})
}
