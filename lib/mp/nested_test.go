package mp_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func sum(xs []int) (n int) {
	for _, x := range xs {
		n += x
	}
	return n
}

// count returns a function that counts the leaves of a tree of tasks, each of which
// waits for its subtasks.
func count(ctx context.Context, p *mp.Pool, wait func(depth int) (int, error)) func(int) (int, error) {
	return func(depth int) (int, error) {
		if depth == 0 {
			return 1, nil
		}
		return wait(depth - 1)
	}
}

func TestTasksWaitForTasksOfTheirPool(t *testing.T) {
	ctx := watchdog(t)
	for _, workers := range []int{1, 2, 3} {
		p := newPool(t, mp.Goroutines, mp.Workers(workers))
		var task func(int) (int, error)
		ways := map[string]func(int) (int, error){
			"Map": func(d int) (int, error) {
				ys, err := mp.Map[int](ctx, p, task, []int{d, d, d})
				return sum(ys), err
			},
			"Submit": func(d int) (n int, err error) {
				var fs []*mp.Future[int]
				for range 3 {
					fs = append(fs, mp.Submit[int](ctx, p, task, d))
				}
				for _, f := range fs {
					m, e := f.Result(ctx)
					n, err = n+m, errors.Join(err, e)
				}
				return n, err
			},
			"Stream": func(d int) (n int, err error) {
				for m, e := range mp.StreamUnordered[int](ctx, p, task, slices.Values([]int{d, d, d})) {
					n, err = n+m, errors.Join(err, e)
				}
				return n, err
			},
			"goroutines of the task": func(d int) (n int, err error) {
				var all sync.WaitGroup
				var mu sync.Mutex
				for range 3 {
					all.Go(func() {
						ys, e := mp.Map[int](ctx, p, task, []int{d})
						mu.Lock()
						defer mu.Unlock()
						n, err = n+sum(ys), errors.Join(err, e)
					})
				}
				all.Wait()
				return n, err
			},
			"with other labels": func(d int) (n int, err error) {
				pprof.Do(ctx, pprof.Labels("a", "b"), func(ctx context.Context) {
					ys, e := mp.Map[int](ctx, p, task, []int{d, d, d})
					n, err = sum(ys), e
				})
				return n, err
			},
		}
		for name, way := range ways {
			task = count(ctx, p, way)
			ys, err := mp.Map[int](ctx, p, task, slices.Repeat([]int{4}, 8))
			if err != nil || sum(ys) != 8*81 {
				t.Errorf("%s, %d workers: got %v, %v", name, workers, ys, err)
			}
			if errors.Is(err, errHang) {
				return
			}
		}
	}
}

// TestTasksWaitAcrossPools runs tasks of two pools that wait for tasks of the other pool.
func TestTasksWaitAcrossPools(t *testing.T) {
	ctx := watchdog(t)
	p, q := newPool(t, mp.Goroutines, mp.Workers(1)), newPool(t, mp.Goroutines, mp.Workers(1))
	ys, err := mp.Map[int](ctx, p, func(n int) (int, error) {
		ys, err := mp.Map[int](ctx, q, func(n int) (int, error) {
			ys, err := mp.Map[int](ctx, p, square, []int{n, n})
			return sum(ys), err
		}, []int{n, n})
		return sum(ys), err
	}, []int{1, 2, 3})
	if err != nil || !slices.Equal(ys, []int{4, 16, 36}) {
		t.Errorf("got %v, %v", ys, err)
	}
}

// TestTaskWaitsForAFutureFromOutside checks that a task can wait for the Future of a
// task that was submitted outside it.
func TestTaskWaitsForAFutureFromOutside(t *testing.T) {
	p := newPool(t, mp.Goroutines, mp.Workers(1))
	gate := make(chan *mp.Future[int], 1)
	waits := mp.Submit[int](watchdog(t), p, func(int) (int, error) { return (<-gate).Result(watchdog(t)) }, 0)
	gate <- mp.Submit[int](watchdog(t), p, square, 7)
	expect(t, 49)(waits.Result(watchdog(t)))
}

func TestLoanEndsWithTheWait(t *testing.T) {
	p := newPool(t, mp.Goroutines, mp.Workers(2))
	ctx := watchdog(t)
	for range 100 {
		if _, err := mp.Map[int](ctx, p, func(n int) (int, error) {
			ys, err := mp.Map[int](ctx, p, square, upTo(10))
			return sum(ys), err
		}, upTo(4)); err != nil {
			t.Fatal(err)
		}
	}
	for before := runtime.NumGoroutine(); mp.HelpersOf(p) > 0; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("%d helpers of %d goroutines live on", mp.HelpersOf(p), before)
		}
	}
}

func TestCloseWithinATask(t *testing.T) {
	p := newPool(t, mp.Goroutines, mp.Workers(2))
	ys, err := mp.Map[string](watchdog(t), p, func(int) string { return p.Close().Error() }, []int{1})
	if err != nil || !strings.Contains(ys[0], "cannot close a pool from one of its tasks") {
		t.Errorf("got %v, %v", ys, err)
	}
	expectMap(t, p)
	_, err = mp.Map[int](watchdog(t), p, func(int) int { p.Kill(); return 1 }, []int{1})
	if err != nil && !errors.Is(err, mp.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWithinAStreamsLoop(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		for _, ordered := range []bool{true, false} {
			p := newPool(t, b, mp.Workers(2))
			stream := mp.Stream[int, int, func(int) int]
			if !ordered {
				stream = mp.StreamUnordered[int, int, func(int) int]
			}
			n := 0
			var last error
			for _, err := range stream(watchdog(t), p, square, naturals) {
				if last = err; n == 3 {
					if err := p.Close(); err != nil {
						t.Error(err)
					}
				}
				n++
			}
			if n < 4 || !errors.Is(last, mp.ErrClosed) {
				t.Errorf("%d results, the last error is %v", n, last)
			}
			q := newPool(t, b, mp.Workers(2))
			n = 0
			for y, err := range stream(watchdog(t), q, square, first(3)) {
				if err != nil {
					t.Error(err)
				}
				n += y
				if n == y {
					time.Sleep(10 * time.Millisecond) // until the sequence has ended
					q.Close()
				}
			}
			if n != 5 {
				t.Errorf("the results' sum is %d", n)
			}
		}
	})
}

func TestKillEndsAnEndlessStream(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		n := 0
		var last error
		for _, err := range mp.Stream[int](watchdog(t), p, square, naturals) {
			if n++; n == 100 {
				p.Kill()
			}
			last = err
		}
		if !errors.Is(last, mp.ErrClosed) {
			t.Errorf("got %v", last)
		}
	})
}

func TestStreamWhoseSequenceFails(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		for name, end := range map[string]func(){"panic": func() { panic("the reader failed") }, "Goexit": runtime.Goexit} {
			p := newPool(t, b, mp.Workers(2))
			source := iter.Seq[int](func(yield func(int) bool) {
				for i := range 5 {
					if !yield(i) {
						return
					}
				}
				end()
			})
			n := 0
			var last error
			for _, err := range mp.Stream[int](watchdog(t), p, square, source) {
				if last = err; err == nil {
					n++
				}
			}
			if n != 5 || last == nil || !strings.Contains(last.Error(), "the stream's sequence") {
				t.Errorf("%s: %d results, %v", name, n, last)
			}
			if pe, ok := errors.AsType[*mp.PanicError](last); (name == "panic") != (ok && pe.Text == "the reader failed") {
				t.Errorf("%s: %v", name, last)
			}
			if (name == "Goexit") != errors.Is(last, mp.ErrGoexit) {
				t.Errorf("%s: %v", name, last)
			}
			expectMap(t, p)
		}
	})
}

type slow struct {
	n   int
	ref *mp.Ref[slow]
}

func (s *slow) Sleep(d time.Duration) int { time.Sleep(d); s.n++; return s.n }
func (s *slow) Twice(d time.Duration) (int, error) {
	if _, err := mp.Ask[int](context.Background(), s.ref, (*slow).Sleep, d); err != nil {
		return 0, err
	}
	return s.Sleep(d), nil
}
func (s *slow) Close(int) (string, error) { return s.ref.Close().Error(), nil }

func askTwice(r *mp.Ref[slow]) (int, error) {
	return mp.Ask[int](context.Background(), r, (*slow).Twice, time.Millisecond)
}

func TestAskHonoursItsContext(t *testing.T) {
	s := new(slow)
	s.ref = made(mp.Serve(s))
	ctx, cancel := context.WithCancel(watchdog(t))
	cancel()
	if _, err := mp.Ask[int](ctx, s.ref, (*slow).Sleep, time.Duration(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release := make(chan int)
	go mp.Ask[int](context.Background(), s.ref, func(s *slow, _ int) int { <-release; return <-release }, 0)
	release <- 0
	short, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
	defer cancel()
	if _, err := mp.Ask[int](short, s.ref, (*slow).Sleep, time.Duration(0)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	release <- 0
	expect(t, 2)(mp.Ask[int](watchdog(t), s.ref, (*slow).Twice, time.Millisecond))
	expect(t, 4)(result(mp.Go[int](watchdog(t), mp.Processes, askTwice, s.ref)))
	text, err := mp.Ask[string](watchdog(t), s.ref, (*slow).Close, 0)
	if err != nil || !strings.Contains(text, "since Close would wait for that function") {
		t.Errorf("got %q, %v", text, err)
	}
	if err := s.ref.Close(); err != nil {
		t.Error(err)
	}
	if _, err := mp.Ask[int](watchdog(t), s.ref, (*slow).Sleep, time.Duration(0)); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func askUntilClosed(r *mp.Ref[slow]) (string, error) {
	for {
		if _, err := mp.Ask[int](context.Background(), r, (*slow).Sleep, time.Duration(0)); err != nil {
			if errors.Is(err, mp.ErrClosed) {
				return "closed", nil
			}
			return "", err
		}
	}
}

func TestAskEndsWhenItsRefIsClosed(t *testing.T) {
	for range 20 {
		r := made(mp.Serve(new(slow)))
		var calls []*mp.Call[string]
		for range 2 {
			calls = append(calls, made(mp.Go[string](watchdog(t), mp.Processes, askUntilClosed, r)))
		}
		time.Sleep(5 * time.Millisecond)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, c := range calls {
			expect(t, "closed")(c.Result(watchdog(t)))
		}
	}
}
