// Package pooltest tests the options of pools. The tests are the same for the child processes
// of package mp and for the workers of package cluster.
package pooltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A NewPool makes a pool of two worker processes, which the test need not close.
type NewPool func(t *testing.T, opts ...mp.PoolOption) *mp.Pool

// Run tests the options of pools that newPool makes.
func Run(t *testing.T, newPool NewPool) {
	for name, test := range map[string]func(*testing.T, NewPool){
		"TaskTimeout": taskTimeout, "LateResults": lateResults, "StuckTask": stuckTask,
		"Initializer": initializer, "FailedInitializer": failedInitializer, "PanickingInitializer": panickingInitializer, "ExitingInitializer": exitingInitializer,
		"Retries": retries, "TasksPerChild": tasksPerChild, "Env": environment, "Output": output, "FailedOutput": failedOutput, "Grace": grace,
	} {
		t.Run(name, func(t *testing.T) { test(t, newPool) })
	}
}

var errHang = errors.New("the test did not end within the two minutes of its watchdog: something hangs")

func watchdog(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 2*time.Minute, errHang)
	t.Cleanup(cancel)
	return ctx
}

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

func upTo(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

// untilDeadline returns the square of x, but if x is negative it waits until its context ends.
func untilDeadline(ctx context.Context, x int) (int, error) {
	if x < 0 {
		<-ctx.Done()
		return x, ctx.Err()
	}
	return x * x, nil
}

func timedOut(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, which is not context.DeadlineExceeded", err)
	}
	refused(t, err, append(parts, "longer than the pool's TaskTimeout of")...)
}

func taskTimeout(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Grace(time.Hour), mp.Retries(3), mp.TaskTimeout(50*time.Millisecond))
	_, err := mp.Map[int](watchdog(t), p, untilDeadline, []int{-1})
	timedOut(t, err, "task 0", "50ms")
	_, err = mp.Submit[int](watchdog(t), p, untilDeadline, -1).Result(watchdog(t))
	timedOut(t, err)
	for y, err := range mp.Stream[int](watchdog(t), p, untilDeadline, slices.Values([]int{-1})) {
		timedOut(t, err)
		if y != 0 {
			t.Errorf("the task has a result, too: %d", y)
		}
	}
	if s := p.Stats(); s.Retried > 0 || s.Restarts > 0 {
		t.Errorf("got %+v", s)
	}
	long := newPool(t, mp.TaskTimeout(time.Hour))
	if ys, err := mp.Map[int](watchdog(t), long, untilDeadline, upTo(1000)); err != nil || ys[99] != 99*99 {
		t.Errorf("tasks within the limit: %v", err)
	}
}

func ignoresDeadline(ctx context.Context, x int) int { <-ctx.Done(); return x }

func wordOf(ctx context.Context, _ int) (string, error) {
	<-ctx.Done()
	return "late", fmt.Errorf("the task has no word to return: %w", context.Cause(ctx))
}

func panicsLate(ctx context.Context, _ int) int { <-ctx.Done(); panic("late") }

// lateResults checks that a result that comes too late is discarded, and that the task's own
// error is part of the error.
func lateResults(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Grace(time.Hour), mp.TaskTimeout(time.Millisecond))
	for y, err := range mp.Stream[int](watchdog(t), p, ignoresDeadline, slices.Values([]int{1, 2})) {
		timedOut(t, err)
		if y != 0 {
			t.Errorf("the task has a result, too: %d", y)
		}
	}
	_, err := mp.Map[string](watchdog(t), p, wordOf, []int{1})
	timedOut(t, err, "no word")
	if n := strings.Count(err.Error(), "TaskTimeout"); n != 1 {
		t.Errorf("the limit is told %d times: %v", n, err)
	}
	_, err = mp.Map[int](watchdog(t), p, panicsLate, []int{1})
	if _, ok := errors.AsType[*mp.PanicError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func sleepsForEver(x int) int {
	for x < 0 {
		time.Sleep(time.Hour)
	}
	return x * x
}

// stuckTask checks that other tasks lose nothing when the process of a task that ignores the
// end of its time is killed.
func stuckTask(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Grace(20*time.Millisecond), mp.Retries(2), mp.TaskTimeout(10*time.Second)) // far longer than other tasks, also on a busy machine
	xs := upTo(100)
	xs[10] = -1
	i := 0
	for y, err := range mp.Stream[int](watchdog(t), p, sleepsForEver, slices.Values(xs)) {
		switch {
		case xs[i] < 0:
			timedOut(t, err, "10s")
			if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Cause == nil {
				t.Errorf("task %d: got %T: %v", i, err, err)
			}
		case err != nil || y != i*i:
			t.Errorf("task %d: %d, %v", i, y, err)
		}
		i++
	}
	if i != len(xs) {
		t.Errorf("%d results", i)
	}
}

var calls, factor int

func prepare(n int) { calls, factor = calls+1, factor+n }

func scaled(x int) [2]int { return [2]int{calls, factor * x} }

// initializer checks that the initializer runs once in each process, before its first task.
func initializer(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Initializer(prepare, 10))
	other := newPool(t, mp.Initializer(prepare, 20))
	ys, err := mp.Map[[2]int](watchdog(t), p, scaled, upTo(200))
	zs, err2 := mp.Map[[2]int](watchdog(t), other, scaled, upTo(200))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for i := range ys {
		if ys[i] != [2]int{1, 10 * i} || zs[i] != [2]int{1, 20 * i} {
			t.Fatalf("task %d: calls and results are %v and %v", i, ys[i], zs[i])
		}
	}
	large := newPool(t, mp.Initializer(keepSize, strings.Repeat("x", 1<<20)))
	if ys, err := mp.Map[[2]int](watchdog(t), large, scaled, []int{1}); err != nil || ys[0] != [2]int{1, 1 << 20} {
		t.Errorf("a large argument: %v, %v", ys, err)
	}
}

func keepSize(s string) { calls, factor = 1, len(s) }

func failPrepare(text string) error { return errors.New(text) }

// failedInitializer checks that all tasks fail with the error of the initializer, those that
// were given to the pool later, too.
func failedInitializer(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Initializer(failPrepare, "no database"))
	for range 2 {
		_, err := mp.Map[int](watchdog(t), p, sleepsForEver, upTo(100))
		refused(t, err, "mp: ", "the pool's initializer failed: no database")
	}
	for _, err := range mp.Stream[int](watchdog(t), p, sleepsForEver, slices.Values(upTo(10))) {
		refused(t, err, "mp: ", "the pool's initializer failed: no database")
	}
}

func panicPrepare(text string) { panic(text) }

func panickingInitializer(t *testing.T, newPool NewPool) {
	_, err := mp.Map[int](watchdog(t), newPool(t, mp.Initializer(panicPrepare, "no luck")), sleepsForEver, upTo(10))
	refused(t, err, "initializer failed")
	if e, ok := errors.AsType[*mp.PanicError](err); !ok || e.Value != "no luck" || !strings.Contains(e.Stack, "panicPrepare") {
		t.Errorf("got %T: %v", err, err)
	}
}

func exitPrepare(code int) { os.Exit(code) }

func exitingInitializer(t *testing.T, newPool NewPool) {
	_, err := mp.Map[int](watchdog(t), newPool(t, mp.Initializer(exitPrepare, 3)), sleepsForEver, upTo(10))
	refused(t, err, "too many workers of the pool died in its initializer")
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Code != 3 {
		t.Errorf("got %T: %v", err, err)
	}
}

// beginOrExit ends its process until it has begun n times, which it counts in a file.
func beginOrExit(path string) (int, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	if _, err := f.WriteString("x"); err != nil {
		return 0, err
	}
	b, err := os.ReadFile(path)
	if len(b) < 3 {
		os.Exit(7)
	}
	return len(b), err
}

func retries(t *testing.T, newPool NewPool) {
	n, err := mp.Submit[int](watchdog(t), newPool(t, mp.Retries(2)), beginOrExit, t.TempDir()+"/f").Result(watchdog(t))
	if n != 3 || err != nil {
		t.Errorf("two retries: %d, %v", n, err)
	}
	path := t.TempDir() + "/f"
	_, err = mp.Submit[int](watchdog(t), newPool(t, mp.Retries(0)), beginOrExit, path).Result(watchdog(t))
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Code != 7 {
		t.Errorf("no retry: %v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "x" {
		t.Errorf("the task began %d times, %v", len(b), err)
	}
}

func myPID(int) int { return os.Getpid() }

func tasksPerChild(t *testing.T, newPool NewPool) {
	pids, err := mp.Map[int](watchdog(t), newPool(t, mp.TasksPerChild(4)), myPID, upTo(40))
	if err != nil {
		t.Fatal(err)
	}
	count := map[int]int{}
	for _, pid := range pids {
		if count[pid]++; count[pid] > 4 {
			t.Errorf("process %d did more than 4 tasks", pid)
		}
	}
}

func variable(name string) string { return os.Getenv(name) }

func environment(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Env("POOLTEST_A=1=2", "POOLTEST_B="+strings.Repeat("b", 1000)))
	got, err := mp.Map[string](watchdog(t), p, variable, []string{"POOLTEST_A", "POOLTEST_B"})
	if err != nil || got[0] != "1=2" || len(got[1]) != 1000 {
		t.Errorf("got %v, %v", got, err)
	}
}

// A buffer collects output.
type buffer struct {
	mu  sync.Mutex
	b   bytes.Buffer
	err error
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	return b.b.Write(p)
}

// await waits until the output has n lines, and returns them in order.
func (b *buffer) await(t *testing.T, n int) []string {
	t.Helper()
	for ctx := watchdog(t); ; {
		b.mu.Lock()
		lines := strings.Split(strings.TrimSuffix(b.b.String(), "\n"), "\n")
		b.mu.Unlock()
		if len(lines) >= n || ctx.Err() != nil {
			slices.Sort(lines)
			return lines
		}
		time.Sleep(time.Millisecond)
	}
}

func prints(x int) int {
	fmt.Printf("out %02d\n", x)
	fmt.Fprintf(os.Stderr, "err %02d\n", x)
	return x
}

func output(t *testing.T, newPool NewPool) {
	var out, both buffer
	p := newPool(t, mp.Stdout(&out), mp.Stderr(&both))
	if _, err := mp.Map[int](watchdog(t), p, prints, upTo(50)); err != nil {
		t.Fatal(err)
	}
	lines, errs := out.await(t, 50), both.await(t, 50)
	for i := range 50 {
		if lines[i] != fmt.Sprintf("out %02d", i) || errs[i] != fmt.Sprintf("err %02d", i) {
			t.Fatalf("line %d is %q and %q", i, lines[i], errs[i])
		}
	}
	if err := p.Close(); err != nil || len(lines) != 50 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	both.b.Reset()
	p = newPool(t, mp.Stdout(&both), mp.Stderr(&both))
	if _, err := mp.Map[int](watchdog(t), p, prints, upTo(5)); err != nil {
		t.Fatal(err)
	}
	if lines := both.await(t, 10); len(lines) != 10 || lines[0] != "err 00" || lines[9] != "out 04" {
		t.Errorf("one writer for both: %q", lines)
	}
}

func failedOutput(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Stdout(&buffer{err: errors.New("the printer has no paper")}), mp.Stderr(new(buffer)))
	if _, err := mp.Map[int](watchdog(t), p, prints, upTo(5)); err != nil {
		t.Fatal(err)
	}
	for ctx := watchdog(t); ; time.Sleep(time.Millisecond) { // output may come after results
		if err := p.Close(); err != nil || ctx.Err() != nil {
			refused(t, err, "mp: cannot write a child's output: the printer has no paper")
			return
		}
	}
}

// ignoresCancel says in a file that it has begun, and never returns.
func ignoresCancel(path string) int {
	_ = os.WriteFile(path, nil, 0o600)
	for {
		time.Sleep(time.Hour)
	}
}

// grace checks that the process of a canceled task is killed after the pool's grace.
func grace(t *testing.T, newPool NewPool) {
	p := newPool(t, mp.Grace(time.Millisecond), mp.TasksPerChild(1000))
	path := t.TempDir() + "/begun"
	f, g := mp.Submit[int](watchdog(t), p, ignoresCancel, path), mp.Submit[int](watchdog(t), p, ignoresCancel, path+"2")
	for ctx := watchdog(t); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		_, err := os.Stat(path)
		_, err2 := os.Stat(path + "2")
		if err == nil && err2 == nil {
			break
		}
	}
	f.Cancel()
	g.Cancel()
	ys, err := mp.Map[int](watchdog(t), p, sleepsForEver, upTo(10))
	if err != nil || ys[9] != 81 {
		t.Errorf("after the end of both processes: %v, %v", ys, err)
	}
}
