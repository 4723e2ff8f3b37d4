package mp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func square(x int) int { return x * x }

func half(x int) (int, error) {
	if x%2 != 0 {
		return 0, fmt.Errorf("%d is odd: %w", x, fs.ErrNotExist)
	}
	return x / 2, nil
}

func length(_ context.Context, s string) int { return len(s) }

type point struct{ X, Y float64 }

func mirror(_ context.Context, p point) (point, error) { return point{p.Y, p.X}, nil }

func (p point) Scaled(by float64) point { return point{p.X * by, p.Y * by} }

func norm1(p point) float64 { return p.X + p.Y }

func double[T int | float64](x T) T { return 2 * x }

func TestEveryShapeWithResult(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		ctx := watchdog(t)
		expect(t, 49)(result(mp.Go[int](ctx, b, square, 7)))
		expect(t, 4)(result(mp.Go[int](ctx, b, half, 8)))
		expect(t, 5)(result(mp.Go[int](ctx, b, length, "hello")))
		expect(t, point{2, 1})(result(mp.Go[point](ctx, b, mirror, point{1, 2})))
		expect(t, 6)(result(mp.Go[int](ctx, b, double[int], 3)))
		expect(t, 3.0)(result(mp.Go[float64](ctx, b, double[float64], 1.5)))
		expect(t, 3.0)(result(mp.Go[float64](ctx, b, norm1, point{1, 2})))
		expect(t, 8)(result(mp.Go[int](ctx, b, func(x int) int { return x + 1 }, 7)))
	})
}

// result returns the result of a Call, or the error of starting it.
func result[R any](c *mp.Call[R], err error) (R, error) {
	if err != nil {
		var zero R
		return zero, err
	}
	return c.Result(context.Background())
}

func expect[R comparable](t *testing.T, want R) func(R, error) {
	return func(got R, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
}

func nothing(string)                                 {}
func failing(s string) error                         { return errors.New("no " + s) }
func waiting(ctx context.Context, _ string)          { <-ctx.Done() }
func waitingErr(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }

func TestEveryShapeWithoutResult(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		ctx := watchdog(t)
		p, err := mp.Start(ctx, b, nothing, "")
		endsWith(t, p, err, "", 0)
		p, err = mp.Start(ctx, b, failing, "luck")
		endsWith(t, p, err, "no luck", 1)
		p, err = mp.Start(ctx, b, waiting, "", mp.Grace(time.Hour))
		if err == nil {
			p.Terminate()
		}
		endsWith(t, p, err, "", 0)
		p, err = mp.Start(ctx, b, waitingErr, "", mp.Grace(time.Hour))
		if err == nil {
			p.Terminate()
		}
		endsWith(t, p, err, "context canceled", 1)
	})
}

func endsWith(t *testing.T, p *mp.Process, err error, text string, code int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	err = p.Join(watchdog(t))
	if got := fmt.Sprint(err); (text == "") != (err == nil) || !strings.Contains(got, text) {
		t.Errorf("ended with error %q, want %q", got, text)
	}
	if got, ended := p.ExitCode(); got != code || !ended {
		t.Errorf("exit code %d (ended %v), want %d", got, ended, code)
	}
}

var x int

func readX(mp.None) int { return x }

func TestVariableIsSharedByGoroutinesOnly(t *testing.T) {
	x = 7
	defer func() { x = 0 }()
	expect(t, 7)(result(mp.Go[int](watchdog(t), mp.Goroutines, readX, mp.None{})))
	expect(t, 0)(result(mp.Go[int](watchdog(t), mp.Processes, readX, mp.None{})))
}

var prepared = os.Getpid() // set by an initializer, which runs in the child too

func ids(mp.None) [4]int { return [4]int{os.Getpid(), mp.Tid(), prepared, os.Getppid()} }

func TestChildHasItsOwnIDs(t *testing.T) {
	call, err := mp.Go[[4]int](watchdog(t), mp.Processes, ids, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := call.Result(watchdog(t))
	want := call.PID()
	if err != nil || got[0] != want || got[2] != want || got[3] != os.Getpid() {
		t.Errorf("ids %v, %v; the child is %d", got, err, want)
	}
	if got[1] != want {
		t.Errorf("the function ran on thread %d, not on the main one, %d", got[1], want)
	}
	expect(t, os.Getpid())(result(mp.Go[int](watchdog(t), mp.Goroutines, pidOf, mp.None{})))
}

func pidOf(mp.None) int { return os.Getpid() }

func TestErrorsKeepTheirIdentity(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		_, err := result(mp.Go[int](watchdog(t), b, half, 7))
		if !errors.Is(err, fs.ErrNotExist) || err.Error() != "7 is odd: file does not exist" {
			t.Errorf("got %v", err)
		}
	})
}

func explode(s string) int { panic("boom " + s) }

func TestPanicComesBackWithItsStack(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		call, err := mp.Go[int](watchdog(t), b, explode, "now")
		if err != nil {
			t.Fatal(err)
		}
		err = call.Join(watchdog(t))
		p, ok := errors.AsType[*mp.PanicError](err)
		if !ok || p.Value != "boom now" || !strings.Contains(p.Stack, "explode") || p.PID != call.PID() {
			t.Errorf("got %v", err)
		}
		if ok && (strings.Contains(p.Stack, "lib/mp.") || strings.Count(p.Stack, "\n") > 4) {
			t.Errorf("the stack shows more than the user's part:\n%s", p.Stack)
		}
		if code, _ := call.ExitCode(); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
	})
}

func crash(mp.None) {
	go func() { panic("elsewhere") }()
	select {}
}

func TestCrashIsReported(t *testing.T) {
	var stderr bytes.Buffer
	p, err := mp.Start(watchdog(t), mp.Processes, crash, mp.None{}, mp.Stderr(&stderr))
	endsWith(t, p, err, "panic: elsewhere", 2)
	if !strings.Contains(stderr.String(), "panic: elsewhere") {
		t.Errorf("the child's own report is missing: %q", stderr.String())
	}
}

func exit(code int) { os.Exit(code) }

func exitInt(code int) int { os.Exit(code); return 0 }

func TestExitCode(t *testing.T) {
	p, err := mp.Start(watchdog(t), mp.Processes, exit, 3)
	endsWith(t, p, err, "exit code 3", 3)
	p, err = mp.Start(watchdog(t), mp.Processes, exit, 0)
	endsWith(t, p, err, "", 0)
	call, err := mp.Go[int](watchdog(t), mp.Processes, exitInt, 0)
	endsWith(t, call.Process, err, "ended without a result", 0)
}

func goexit(mp.None) { runtime.Goexit() }

func TestGoexitIsAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p, err := mp.Start(watchdog(t), b, goexit, mp.None{})
		endsWith(t, p, err, mp.ErrGoexit.Error(), 1)
		if err := p.Join(watchdog(t)); !errors.Is(err, mp.ErrGoexit) {
			t.Errorf("got %v", err)
		}
	})
}

func forever(mp.None) { select {} }

func busy(mp.None) {
	//lint:ignore SA5002 it is to be killed
	for {
	}
}

func TestJoinWithDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p, err := mp.Start(watchdog(t), b, waiting, "", mp.Grace(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
		defer cancel()
		err = p.Join(ctx)
		if !errors.Is(err, mp.ErrRunning) || !errors.Is(err, context.DeadlineExceeded) || !p.Alive() {
			t.Errorf("got %v", err)
		}
		p.Terminate()
		endsWith(t, p, nil, "", 0)
	})
}

func TestKillAndSignal(t *testing.T) {
	p, err := mp.Start(watchdog(t), mp.Processes, busy, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	endsWith(t, p, nil, "signal 9", -9)
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("second Kill: %v", err)
	}
	p, err = mp.Start(watchdog(t), mp.Processes, forever, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	endsWith(t, p, nil, "signal 15", -15)
}

func deaf(context.Context, mp.None) { select {} }

func TestTerminateKillsAfterGrace(t *testing.T) {
	p, err := mp.Start(watchdog(t), mp.Processes, deaf, mp.None{}, mp.Grace(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	p.Terminate()
	endsWith(t, p, nil, "signal 9", -9)
}

func TestContextEndsProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(watchdog(t))
	p, err := mp.Start(ctx, mp.Processes, forever, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	endsWith(t, p, nil, "context canceled", -15)
	if err := p.Join(watchdog(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := mp.Start(ctx, mp.Processes, forever, mp.None{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a start with a canceled context: %v", err)
	}
}

func TestClosureIsRefused(t *testing.T) {
	n := 3
	_, err := mp.Go[int](watchdog(t), mp.Processes, func(x int) int { return x + n }, 1)
	refused(t, err, "the function literal at process_test.go:", "captures variables", "top-level function")
	_, err = mp.Go[point](watchdog(t), mp.Processes, point{1, 2}.Scaled, 2.0)
	refused(t, err, "point.Scaled", "method value", "method expression")
	var none func(int) int
	_, err = mp.Go[int](watchdog(t), mp.Processes, none, 1)
	refused(t, err, "nil")
	expect(t, 4)(result(mp.Go[int](watchdog(t), mp.Goroutines, func(x int) int { return x + n }, 1)))
}

type box[T any] struct{ V T }

func (b box[T]) Get() T { return b.V }

func (p point) Twice() point { return point{2 * p.X, 2 * p.Y} }

func doubleElsewhere[T int | float64](ctx context.Context, fn func(T) T, x T) (T, error) {
	if fn == nil {
		fn = double[T]
	}
	return result(mp.Go[T](ctx, mp.Processes, fn, x))
}

func TestGenericInstancesAndMethods(t *testing.T) {
	ctx := watchdog(t)
	expect(t, 5.0)(result(mp.Go[float64](ctx, mp.Processes, box[float64].Get, box[float64]{5})))
	expect(t, "v")(result(mp.Go[string](ctx, mp.Processes, (*box[string]).Get, &box[string]{"v"})))
	expect(t, point{2, 4})(result(mp.Go[point](ctx, mp.Processes, point.Twice, point{1, 2})))
	expect(t, point{2, 4})(result(mp.Go[point](ctx, mp.Processes, (*point).Twice, &point{1, 2})))
	expect(t, 6)(doubleElsewhere(ctx, double[int], 3))
	_, err := doubleElsewhere(ctx, nil, 3)
	refused(t, err, "doubleElsewhere[...]", "was made in generic code", "double[int]")
	var get interface{ Get() int } = box[int]{1}
	_, err = mp.Go[int](ctx, mp.Processes, func(g func() int) int { return g() }, get.Get)
	refused(t, err, "func() int", "a function cannot be part of a value")
	type twicer interface{ Twice() point }
	expect(t, point{2, 4})(result(mp.Go[point](ctx, mp.Processes, twicer.Twice, twicer(point{1, 2}))))
}

func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("not refused")
	}
	for _, p := range parts {
		if !strings.Contains(fmt.Sprint(err), p) {
			t.Errorf("the error %q does not say %q", err, p)
		}
	}
}

func say(s string) { fmt.Println(s); fmt.Fprintln(os.Stderr, "err "+s) }

func TestOutputIsForwarded(t *testing.T) {
	var out, errs bytes.Buffer
	p, err := mp.Start(watchdog(t), mp.Processes, say, "hi", mp.Stdout(&out), mp.Stderr(&errs))
	endsWith(t, p, err, "", 0)
	if out.String() != "hi\n" || errs.String() != "err hi\n" {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
}

func nested(depth int) (int, error) {
	if depth == 0 {
		return os.Getppid(), nil
	}
	return result(mp.Go[int](context.Background(), mp.Processes, nested, depth-1))
}

func TestChildrenHaveChildren(t *testing.T) {
	got, err := result(mp.Go[int](watchdog(t), mp.Processes, nested, 2))
	if err != nil || got == os.Getpid() || got == 0 {
		t.Errorf("the parent of the grandchild is %d, %v", got, err)
	}
}

func readEnv(name string) string { return os.Getenv(name) }

func TestEnv(t *testing.T) {
	expect(t, "yes")(result(mp.Go[string](watchdog(t), mp.Processes, readEnv, "MP_TEST", mp.Env("MP_TEST=yes"))))
	expect(t, "")(result(mp.Go[string](watchdog(t), mp.Processes, readEnv, "PERIJOVE_MP_CHILD")))
}
