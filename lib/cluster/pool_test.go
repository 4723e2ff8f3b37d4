package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

func square(x int) int { return x * x }

func upTo(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

// expectMap checks that a pool works.
func expectMap(t *testing.T, p *mp.Pool) {
	t.Helper()
	ys, err := mp.Map[int](watchdog(t), p, square, []int{1, 2, 3})
	if err != nil || !slices.Equal(ys, []int{1, 4, 9}) {
		t.Errorf("the pool does not work any more: %v, %v", ys, err)
	}
}

func TestMap(t *testing.T) {
	p := newPool(t, open(t, 2))
	for _, n := range []int{0, 1, 2, 1000, 50_000} {
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
	if got, want := p.String(), "a pool of 2 cluster workers, 51003 tasks done"; got != want {
		t.Errorf("String returns %q, want %q", got, want)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := mp.Map[int](watchdog(t), p, square, upTo(3)); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a closed pool: %v", err)
	}
}

type node struct {
	Name  string
	Parts []float64
	Next  *node
	Any   any
}

func unpack(p node) (map[string]any, error) {
	return map[string]any{p.Name: p.Parts, "next": p.Next, "any": p.Any}, nil
}

func TestValuesOfAnyType(t *testing.T) {
	p := newPool(t, open(t, 1))
	arg := node{"a", []float64{1, 2}, &node{Name: "b"}, node{Name: "c"}}
	got, err := mp.Submit[map[string]any](watchdog(t), p, unpack, arg).Result(watchdog(t))
	if err != nil {
		t.Fatal(err)
	}
	if next, ok := got["next"].(*node); !ok || next.Name != "b" || !slices.Equal(got["a"].([]float64), arg.Parts) || got["any"].(node).Name != "c" {
		t.Errorf("got %v", got)
	}
}

func half(x int) (int, error) {
	if x%2 == 1 {
		return 0, fmt.Errorf("%d: %w", x, fs.ErrNotExist)
	}
	return x / 2, nil
}

func TestMapStopsAtAnError(t *testing.T) {
	p := newPool(t, open(t, 2))
	xs := make([]int, 5000)
	xs[2500] = 1
	_, err := mp.Map[int](watchdog(t), p, half, xs)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "task 2500") {
		t.Errorf("got %v", err)
	}
	expectMap(t, p)
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

func TestPanicAndGoexit(t *testing.T) {
	p := newPool(t, open(t, 2))
	_, err := mp.Map[int](watchdog(t), p, panicky, []int{1, 2, 7, 3})
	if pe, ok := errors.AsType[*mp.PanicError](err); !ok || pe.Value != "seven" || !strings.Contains(pe.Stack, "panicky") || pe.PID == os.Getpid() {
		t.Errorf("got %v", err)
	}
	if _, err = mp.Map[int](watchdog(t), p, panicky, []int{1, 2, 8, 3}); !errors.Is(err, mp.ErrGoexit) {
		t.Errorf("got %v", err)
	}
	expectMap(t, p)
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func TestStreams(t *testing.T) {
	p := newPool(t, open(t, 2))
	i := 0
	for y, err := range mp.Stream[int](watchdog(t), p, half, count(300)) {
		if bad := err != nil; bad != (i%2 == 1) || !bad && y != i/2 {
			t.Fatalf("result %d is %d, %v", i, y, err)
		}
		i++
	}
	if i != 300 {
		t.Errorf("%d results", i)
	}
	sum := 0
	for y, err := range mp.StreamUnordered[int](watchdog(t), p, square, count(300)) {
		if err != nil {
			t.Fatal(err)
		}
		sum += y
	}
	if want := 299 * 300 * 599 / 6; sum != want {
		t.Errorf("the sum is %d, want %d", sum, want)
	}
	for range mp.Stream[int](watchdog(t), p, square, count(1<<40)) {
		break // the sequence ends, too
	}
	expectMap(t, p)
}

func TestForEachSubmitAndProgress(t *testing.T) {
	p := newPool(t, open(t, 2))
	var mu sync.Mutex
	last := 0
	err := mp.ForEach(watchdog(t), p, func(int) {}, upTo(100), mp.Progress(func(done, _ int) { mu.Lock(); last = done; mu.Unlock() }))
	if err != nil {
		t.Fatal(err)
	}
	if mu.Lock(); last != 100 {
		t.Errorf("Progress reported %d of 100", last)
	}
	mu.Unlock()
	var futures []*mp.Future[int]
	for i := range 50 {
		futures = append(futures, mp.Submit[int](watchdog(t), p, square, i))
	}
	for i, f := range futures {
		if y, err := f.Result(watchdog(t)); err != nil || y != i*i {
			t.Errorf("task %d: %d, %v", i, y, err)
		}
	}
}

// untilCanceled writes a file, waits until it is canceled, and then writes another file.
func untilCanceled(ctx context.Context, path string) (int, error) {
	if err := os.WriteFile(path+".begun", nil, 0o600); err != nil {
		return 0, err
	}
	<-ctx.Done()
	return 0, os.WriteFile(path+".canceled", nil, 0o600)
}

// awaitFile waits until a file exists.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	ctx := watchdog(t)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s does not appear", path)
		}
		runtime.Gosched()
	}
}

func TestCancelReachesTheWorker(t *testing.T) {
	c := open(t, 2)
	p := newPool(t, c)
	path := t.TempDir() + "/task"
	ctx, cancel := context.WithCancel(watchdog(t))
	go func() {
		awaitFile(t, path+".begun")
		cancel()
	}()
	if _, err := mp.Map[int](ctx, p, untilCanceled, []string{path}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	awaitFile(t, path+".canceled")
	other := t.TempDir() + "/task"
	f := mp.Submit[int](watchdog(t), p, untilCanceled, other)
	awaitFile(t, other+".begun")
	f.Cancel()
	if _, err := f.Result(watchdog(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	awaitFile(t, other+".canceled")
	expectMap(t, p)
}

func TestKillAndClose(t *testing.T) {
	c := open(t, 1)
	p := newPool(t, c)
	path := t.TempDir() + "/task"
	f := mp.Submit[int](watchdog(t), p, untilCanceled, path)
	awaitFile(t, path+".begun")
	p.Kill()
	if _, err := f.Result(watchdog(t)); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("after Kill: %v", err)
	}
	p = newPool(t, c)
	f = mp.Submit[int](watchdog(t), p, untilCanceled, t.TempDir()+"/task")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Result(watchdog(t)); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := c.Pool(); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a pool of a closed cluster: %v", err)
	}
	if err := c.Workers(1); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("workers of a closed cluster: %v", err)
	}
}

func takesChannel(chan int) int             { return 0 }
func takesQueue(*mp.Queue[int]) int         { return 0 }
func takesList([]map[string]mp.Mutex) error { return nil }
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not contain %q: %v", part, err)
		}
	}
}

func TestFunctionsThatCannotBeSent(t *testing.T) {
	p := newPool(t, open(t, 0))
	n := len(os.Args)
	_, err := mp.Map[int](watchdog(t), p, func(x int) int { return x + n }, []int{1})
	refused(t, err, "pool_test.go", "captures variables", "pass what it needs as its argument")
	_, err = mp.Map[int](watchdog(t), p, takesChannel, make([]chan int, 1))
	refused(t, err, "takesChannel", "a channel works within one process")
	_, err = mp.Map[int](watchdog(t), p, takesQueue, make([]*mp.Queue[int], 1))
	refused(t, err, "takesQueue", "another machine", "mp.Queue[int] is shared by the processes of one machine")
	refused(t, mp.ForEach(watchdog(t), p, takesList, make([][]map[string]mp.Mutex, 1)), "mp.Mutex is shared")
	_, err = mp.Map[int, int, func(int) int](watchdog(t), p, nil, []int{1})
	refused(t, err, "the function to run is nil")
}

func repeat(s string) string { return strings.Repeat(s, 3) }

func TestLargeValues(t *testing.T) {
	p := newPool(t, open(t, 2, cluster.MaxValue(8<<20)))
	var args []string
	for i := range 6 {
		args = append(args, strings.Repeat(string(rune('a'+i)), i*400_000))
	}
	args = append(args, args[3], args[3]) // the same again
	ys, err := mp.Map[string](watchdog(t), p, repeat, args)
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range ys {
		if y != repeat(args[i]) {
			t.Errorf("result %d has %d bytes", i, len(y))
		}
	}
	_, err = mp.Map[string](watchdog(t), p, repeat, []string{strings.Repeat("x", 3<<20)})
	refused(t, err, "the result of ", "repeat", "takes 9437188 bytes", "limit of 8388608", "cluster.MaxValue")
	if !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("not ErrTooLarge: %v", err)
	}
	_, err = mp.Map[string](watchdog(t), p, repeat, []string{strings.Repeat("x", 9<<20)})
	refused(t, err, "the argument of ", "repeat", "limit of 8388608", "cluster.MaxValue")
	expectMap(t, p)
}
