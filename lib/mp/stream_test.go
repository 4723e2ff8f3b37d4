package mp_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func naturals(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

func first(n int) iter.Seq[int] { return slices.Values(upTo(n)) }

func TestStreamKeepsOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		n := 0
		for y, err := range mp.Stream[int](watchdog(t), p, square, first(50_000)) {
			if err != nil || y != n*n {
				t.Fatalf("result %d is %d, %v", n, y, err)
			}
			n++
		}
		if n != 50_000 {
			t.Errorf("%d results", n)
		}
	})
}

func TestStreamUnorderedYieldsAll(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		sum, n := 0, 0
		for y, err := range mp.StreamUnordered[int](watchdog(t), p, uneven, first(20_000)) {
			if err != nil {
				t.Fatal(err)
			}
			sum += y
			n++
		}
		if n != 20_000 || sum != 20_000*19_999/2 {
			t.Errorf("%d results, sum %d", n, sum)
		}
	})
}

// TestStreamKeepsItsPool runs a stream of a pool to which there is no other reference.
func TestStreamKeepsItsPool(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p, err := mp.NewPool(b, mp.Workers(1))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for y, err := range mp.Stream[int](watchdog(t), p, square, naturals) {
			if err != nil || y != n*n {
				t.Fatalf("result %d is %d, %v", n, y, err)
			}
			if n++; n%100 == 0 {
				runtime.GC()
			}
			if n == 3000 {
				break
			}
		}
	})
}

func TestStreamOfEndlessInputIsLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		n := 0
		for y, err := range mp.Stream[int](watchdog(t), p, square, naturals) {
			if err != nil || y != n*n {
				t.Fatalf("result %d is %d, %v", n, y, err)
			}
			if n++; n == 1000 {
				break
			}
		}
		expectMap(t, p)
	})
}

func TestStreamGoesOnAfterAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		n := 0
		for y, err := range mp.Stream[int](watchdog(t), p, half, first(1000)) {
			odd := n%2 == 1
			if odd != errors.Is(err, fs.ErrNotExist) || (!odd && y != n/2) {
				t.Fatalf("result %d is %d, %v", n, y, err)
			}
			n++
		}
		if n != 1000 {
			t.Errorf("%d results", n)
		}
	})
}

func TestStreamEndsWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		ctx, cancel := context.WithTimeout(watchdog(t), 20*time.Millisecond)
		defer cancel()
		var last error
		for _, err := range mp.Stream[int](ctx, p, patient, naturals) {
			last = err
		}
		if !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("got %v", last)
		}
		expectMap(t, p)
	})
}

// TestStreamWithAFeedback checks a sequence that waits for results of its earlier
// values: tasks must not be held back until a batch is full.
func TestStreamWithAFeedback(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		results := make(chan int, 1)
		results <- 0
		source := func(yield func(int) bool) {
			for range 200 {
				if !yield(<-results + 1) {
					return
				}
			}
		}
		var last int
		for y, err := range mp.StreamUnordered[int](watchdog(t), p, identity, source) {
			if err != nil {
				t.Fatal(err)
			}
			last = y
			results <- y
		}
		if last != 200 {
			t.Errorf("the last result is %d", last)
		}
	})
}

func identity(x int) int { return x }

func TestSubmit(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(3))
		var futures []*mp.Future[int]
		for i := range 2000 {
			futures = append(futures, mp.Submit[int](watchdog(t), p, square, i))
		}
		for i, f := range futures {
			expect(t, i*i)(f.Result(watchdog(t)))
		}
		_, err := mp.Submit[int](watchdog(t), p, half, 7).Result(watchdog(t))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSubmittedTaskIsCanceled(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2), mp.Grace(time.Hour))
		running := mp.Submit[int](watchdog(t), p, patient, 1)
		var waiting []*mp.Future[int]
		for i := range 10 {
			waiting = append(waiting, mp.Submit[int](watchdog(t), p, patient, i))
		}
		short, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
		defer cancel()
		if _, err := running.Result(short); !errors.Is(err, mp.ErrRunning) {
			t.Errorf("a running task: %v", err)
		}
		running.Cancel()
		for _, f := range append(waiting, running) {
			f.Cancel()
			if _, err := f.Result(watchdog(t)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		expectMap(t, p)
		ctx, cancel2 := context.WithTimeout(watchdog(t), 10*time.Millisecond)
		defer cancel2()
		_, err := mp.Submit[int](ctx, p, patient, 1).Result(watchdog(t))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		expectMap(t, p)
	})
}

func TestCancelKillsWhatIgnoresIt(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(2), mp.Grace(10*time.Millisecond))
	var futures []*mp.Future[int]
	for range 2 {
		futures = append(futures, mp.Submit[int](watchdog(t), p, stuck, 1))
	}
	time.Sleep(20 * time.Millisecond)
	for _, f := range futures {
		f.Cancel()
	}
	expectMap(t, p)
}

func awaitEvent(ctx context.Context, e *mp.Event) (int, error) { return 0, e.Wait(ctx) }

// TestCanceledTaskBehindOthers checks that a task that was canceled before it began
// does not block a worker, whether it was not sent yet, is being sent, or is behind
// others in a worker.
func TestCanceledTaskBehindOthers(t *testing.T) {
	for i := range 20 {
		p := newPool(t, mp.Processes, mp.Workers(2), mp.Grace(time.Millisecond))
		e := made(mp.NewEvent(mp.Processes))
		var before []*mp.Future[int]
		var behind []*mp.Future[int]
		for range 3 {
			before = append(before, mp.Submit[int](watchdog(t), p, awaitEvent, e))
			for range i {
				behind = append(behind, mp.Submit[int](watchdog(t), p, stuck, 1))
			}
		}
		time.Sleep(time.Duration(i) * 100 * time.Microsecond)
		for _, f := range behind {
			f.Cancel()
		}
		e.Set()
		for _, f := range before {
			if _, err := f.Result(watchdog(t)); err != nil { // its worker was killed because of a task that had begun
				if _, ok := errors.AsType[*mp.ExitError](err); !ok {
					t.Error(err)
				}
			}
		}
		expectMap(t, p)
		p.Close()
	}
}

func TestCanceledTaskNeverBegins(t *testing.T) {
	p := newPool(t, mp.Goroutines, mp.Workers(1))
	release, begun := make(chan int), new(atomic.Int32)
	before := mp.Submit[int](watchdog(t), p, func(int) int { return <-release }, 0)
	var behind []*mp.Future[int]
	for range 20 {
		behind = append(behind, mp.Submit[int](watchdog(t), p, func(int) int { return int(begun.Add(1)) }, 0))
	}
	for _, f := range behind {
		f.Cancel()
	}
	release <- 7
	expect(t, 7)(before.Result(watchdog(t)))
	p.Close()
	if n := begun.Load(); n != 0 {
		t.Errorf("%d canceled tasks began", n)
	}
}

func TestKilledWorkerFailsOnlyItsTask(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	bad := mp.Submit[int](watchdog(t), p, suicidal, 50)
	var good []*mp.Future[int]
	for range 100 {
		good = append(good, mp.Submit[int](watchdog(t), p, uneven, 10))
		if len(good) == 6 {
			break
		}
	}
	if _, err := bad.Result(watchdog(t)); err == nil || !strings.Contains(err.Error(), "signal 9") {
		t.Errorf("got %v", err)
	}
	if e, ok := errors.AsType[*mp.ExitError](errOf(bad)); !ok || e.Signal != syscall.SIGKILL {
		t.Errorf("got %v", errOf(bad))
	}
	for _, f := range good {
		expect(t, 10)(f.Result(watchdog(t)))
	}
}

func errOf[R any](f *mp.Future[R]) error {
	_, err := f.Result(context.Background())
	return err
}

func TestKillFailsPendingTasks(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		var futures []*mp.Future[int]
		for range 20 {
			futures = append(futures, mp.Submit[int](watchdog(t), p, patient, 1))
		}
		p.Kill()
		for _, f := range futures {
			if _, err := f.Result(watchdog(t)); err == nil {
				t.Error("a task of a killed pool succeeded")
			}
		}
		if _, err := mp.Submit[int](watchdog(t), p, square, 1).Result(watchdog(t)); !errors.Is(err, mp.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCloseWaitsForTasks(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		var futures []*mp.Future[int]
		for i := range 100 {
			futures = append(futures, mp.Submit[int](watchdog(t), p, square, i))
		}
		p.Close()
		for i, f := range futures {
			expect(t, i*i)(f.Result(watchdog(t)))
		}
	})
}
