package mp_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func newPool(t testing.TB, b mp.Backend, opts ...mp.PoolOption) *mp.Pool {
	t.Helper()
	p, err := mp.NewPool(b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func upTo(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func TestMap(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		for _, n := range []int{0, 1, 2, 1000, 100_000} {
			ys, err := mp.Map[int](watchdog(t), p, square, upTo(n))
			if err != nil || len(ys) != n {
				t.Fatalf("%d results of %d, %v", len(ys), n, err)
			}
			for i, y := range ys {
				if y != i*i {
					t.Fatalf("result %d of %d is %d", i, n, y)
				}
			}
		}
	})
}

func shout(s string) string { return strings.ToUpper(s) + "!" }

func TestMapOfStrings(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		words := make([]string, 5000)
		for i := range words {
			words[i] = strings.Repeat("a", i%50)
		}
		ys, err := mp.Map[string](watchdog(t), p, shout, words)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range ys {
			if y != shout(words[i]) {
				t.Fatalf("result %d is %q", i, y)
			}
		}
	})
}

func TestMapStopsAtAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		xs := make([]int, 10_000)
		xs[5000] = 1
		_, err := mp.Map[int](watchdog(t), p, half, xs)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "task 5000") {
			t.Errorf("got %v", err)
		}
		expectMap(t, p)
	})
}

// expectMap checks that a pool works.
func expectMap(t *testing.T, p *mp.Pool) {
	t.Helper()
	ys, err := mp.Map[int](watchdog(t), p, square, []int{1, 2, 3})
	if err != nil || !slices.Equal(ys, []int{1, 4, 9}) {
		t.Errorf("the pool does not work any more: %v, %v", ys, err)
	}
}

func panicky(x int) int {
	switch x {
	case 7:
		panic("seven")
	case 8:
		runtime.Goexit()
	}
	return x
}

func TestMapWithPanicAndGoexit(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		_, err := mp.Map[int](watchdog(t), p, panicky, []int{1, 2, 7, 3})
		if pe, ok := errors.AsType[*mp.PanicError](err); !ok || pe.Value != "seven" || !strings.Contains(pe.Stack, "panicky") {
			t.Errorf("got %v", err)
		}
		_, err = mp.Map[int](watchdog(t), p, panicky, []int{1, 2, 8, 3})
		if !errors.Is(err, mp.ErrGoexit) {
			t.Errorf("got %v", err)
		}
		expectMap(t, p)
	})
}

func patient(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestMapIsCanceled(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		ctx, cancel := context.WithTimeout(watchdog(t), 20*time.Millisecond)
		defer cancel()
		_, err := mp.Map[int](ctx, p, patient, upTo(10))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		expectMap(t, p)
	})
}

func stuck(int) int { select {} }

func TestMapKillsWhatIgnoresTheContext(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3), mp.Grace(20*time.Millisecond))
	ctx, cancel := context.WithTimeout(watchdog(t), 20*time.Millisecond)
	defer cancel()
	if _, err := mp.Map[int](ctx, p, stuck, upTo(10)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	expectMap(t, p)
}

// killMyself ends the process as the system does when it runs out of memory.
func killMyself() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {} // until the signal arrives
}

func suicidal(x int) int {
	if x == 50 {
		killMyself()
	}
	return x
}

func TestWorkerIsKilled(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	_, err := mp.Map[int](watchdog(t), p, suicidal, upTo(100))
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Signal != syscall.SIGKILL {
		t.Errorf("got %v", err)
	}
	expectMap(t, p)
}

// killOnce kills its process in the first call; a file records that.
func killOnce(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		f.Close()
		killMyself()
	}
	return "survived", nil
}

func TestOnlyTasksInFlightAreRetried(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3), mp.Retries(1))
	dir := t.TempDir()
	var paths []string
	for i := range 20 {
		paths = append(paths, dir+"/"+string(rune('a'+i)))
	}
	ys, err := mp.Map[string](watchdog(t), p, killOnce, paths)
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range ys {
		if y != "survived" {
			t.Errorf("got %q", y)
		}
	}
	// The last task may end before the worker that it killed is replaced.
	for ctx := watchdog(t); p.Stats().Restarts < 20 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
	}
	if s := p.Stats(); s.Done != 20 || s.Retried != 20 || s.Restarts != 20 {
		t.Errorf("stats %+v", s)
	}
	_, err = mp.Map[int](watchdog(t), p, suicidal, upTo(100))
	if _, ok := errors.AsType[*mp.ExitError](err); !ok {
		t.Errorf("a task that always kills: %v", err)
	}
}

var prepared2 int

func prepare(n int) { prepared2 = n }

func scaled(x int) int { return prepared2 * x }

func failPrepare(text string) error { return errors.New(text) }

func TestInitializer(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1), mp.Initializer(prepare, 10))
		ys, err := mp.Map[int](watchdog(t), p, scaled, []int{1, 2})
		if err != nil || !slices.Equal(ys, []int{10, 20}) {
			t.Errorf("got %v, %v", ys, err)
		}
	})
}

func TestInitializerFails(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3), mp.Initializer(failPrepare, "no database"))
		_, err := mp.Map[int](watchdog(t), p, square, upTo(100))
		if err == nil || !strings.Contains(err.Error(), "initializer failed: no database") {
			t.Errorf("got %v", err)
		}
	})
	p := newPool(t, mp.Processes, mp.Workers(3), mp.Initializer(exit, 3))
	_, err := mp.Map[int](watchdog(t), p, square, upTo(100))
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Code != 3 {
		t.Errorf("got %v", err)
	}
}

func myPID(int) int { return os.Getpid() }

func TestTasksPerChild(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3), mp.TasksPerChild(4))
	pids, err := mp.Map[int](watchdog(t), p, myPID, upTo(100))
	if err != nil {
		t.Fatal(err)
	}
	count := map[int]int{}
	for _, pid := range pids {
		count[pid]++
	}
	for pid, n := range count {
		if n > 4 {
			t.Errorf("process %d did %d tasks", pid, n)
		}
	}
	if len(count) < 25 {
		t.Errorf("%d processes for 100 tasks", len(count))
	}
}

func TestPoolStaysWarm(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(2))
	seen := map[int]bool{}
	for range 50 {
		pids, err := mp.Map[int](watchdog(t), p, myPID, upTo(4))
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids {
			seen[pid] = true
		}
	}
	if len(seen) > 2 || seen[os.Getpid()] {
		t.Errorf("%d worker processes", len(seen))
	}
}

func TestZeroPool(t *testing.T) {
	var p mp.Pool
	expectMap(t, &p)
	p.Close()
	if _, err := mp.Map[int](watchdog(t), &p, square, upTo(3)); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a closed pool: %v", err)
	}
}

func TestManyMapsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for range 20 {
					ys, err := mp.Map[int](watchdog(t), p, square, upTo(100))
					if err != nil || ys[99] != 99*99 {
						t.Errorf("got %v", err)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestPoolRefusesWhatCannotBeSent(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(1))
	n := 2
	_, err := mp.Map[int](watchdog(t), p, func(x int) int { return n * x }, upTo(3))
	refused(t, err, "captures variables")
	_, err = mp.Map[int](watchdog(t), p, func(chan int) int { return 1 }, []chan int{nil})
	refused(t, err, "chan int", "mp.Queue")
}

// uneven takes long for one of its arguments.
func uneven(x int) int {
	if x == 10 {
		time.Sleep(200 * time.Millisecond)
	}
	return x
}

func TestIdleWorkersTakeOverFromASlowOne(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		ys, err := mp.Map[int](watchdog(t), p, uneven, upTo(20_000))
		if err != nil || ys[19_999] != 19_999 {
			t.Errorf("got %v", err)
		}
	})
}

func mapInChild(n int) (int, error) {
	p, err := mp.NewPool(mp.Processes)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	ys, err := mp.Map[int](context.Background(), p, square, upTo(n))
	if err != nil {
		return 0, err
	}
	return ys[n-1] * 10 * p.Workers(), nil
}

func TestNestedPools(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(8), mp.Env("GOMAXPROCS=1")) // each worker, and a pool within it, uses one core
	ys, err := mp.Map[int](watchdog(t), p, mapInChild, []int{3, 4, 5})
	if err != nil || !slices.Equal(ys, []int{40, 90, 160}) {
		t.Errorf("got %v, %v", ys, err)
	}
}
