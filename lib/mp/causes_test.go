package mp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

type codeError struct{ Code int }

func (e *codeError) Error() string { return fmt.Sprint("code ", e.Code) }

func noCode(int) *codeError { return nil }

func typedNil(n int) (int, error) { return n, noCode(n) }

// A rudeError has methods that panic.
type rudeError struct{}

func (rudeError) Error() string   { panic("no text") }
func (rudeError) Is(error) bool   { panic("no identity") }
func (rudeError) Unwrap() []error { panic("no causes") }

func rude(n int) (int, error) {
	if n == 2 {
		panic(rudeError{})
	}
	return n, rudeError{}
}

func TestErrorsWithoutText(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(2))
		_, err := mp.Map[int](watchdog(t), p, typedNil, []int{1, 2})
		refused(t, err, "task ", "a nil *mp_test.codeError")
		_, err = mp.Map[int](watchdog(t), p, rude, []int{1})
		refused(t, err, "a mp_test.rudeError, whose Error method panicked: no text")
		_, err = mp.Map[int](watchdog(t), p, rude, []int{2})
		if pe, ok := errors.AsType[*mp.PanicError](err); !ok || !strings.Contains(pe.Text, "no text") {
			t.Errorf("got %v", err)
		}
		expectMap(t, p)
	})
	_, err := result(mp.Go[int](watchdog(t), mp.Processes, typedNil, 1))
	refused(t, err, "a nil *mp_test.codeError")
	_, err = result(mp.Go[int](watchdog(t), mp.Processes, rude, 1))
	refused(t, err, "whose Error method panicked")
}

type till struct{ sum int }

func (b *till) Add(n int) (int, error) { b.sum += n; return b.sum, noCode(n) }
func (b *till) Rude(n int) (int, error) {
	if n == 0 {
		runtime.Goexit()
	}
	return n, rudeError{}
}

func askTill(r *mp.Ref[till]) ([]string, error) {
	ctx := context.Background()
	_, err1 := mp.Ask[int](ctx, r, (*till).Add, 5)
	_, err2 := mp.Ask[int](ctx, r, (*till).Rude, 5)
	_, err3 := mp.Ask[int](ctx, r, (*till).Rude, 0)
	return []string{fmt.Sprint(err1), fmt.Sprint(err2), fmt.Sprint(err3)}, nil
}

func TestServedErrorsWithoutText(t *testing.T) {
	r, err := mp.Serve(new(till))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := result(mp.Go[[]string](watchdog(t), mp.Processes, askTill, r))
	if err != nil || len(got) != 3 || !strings.Contains(got[0], "a nil *mp_test.codeError") ||
		!strings.Contains(got[1], "whose Error method panicked") || !strings.Contains(got[2], mp.ErrGoexit.Error()) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A selfish encodes itself; for some values its methods panic or call runtime.Goexit.
type selfish struct{ N int }

func (s selfish) GobEncode() ([]byte, error) {
	switch s.N {
	case 1:
		runtime.Goexit()
	case 2:
		panic("cannot")
	}
	return []byte{byte(s.N)}, nil
}

func (s *selfish) GobDecode(b []byte) error {
	switch s.N = int(b[0]); s.N {
	case 3:
		runtime.Goexit()
	case 4:
		panic("cannot")
	}
	return nil
}

func takeSelfish(s selfish) int { return s.N }
func giveSelfish(n int) selfish { return selfish{n} }

// TestMethodsThatDoNotReturn checks that a panic or Goexit in a user's method, wherever
// the package calls it, is the error of the task.
func TestMethodsThatDoNotReturn(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(1))
	for n := 1; n <= 4; n++ {
		if _, err := mp.Map[int](watchdog(t), p, takeSelfish, []selfish{{n}}); err == nil || errors.Is(err, errHang) {
			t.Errorf("argument %d: got %v", n, err)
		}
		if _, err := mp.Map[selfish](watchdog(t), p, giveSelfish, []int{n}); err == nil || errors.Is(err, errHang) {
			t.Errorf("result %d: got %v", n, err)
		}
		if _, err := result(mp.Go[selfish](watchdog(t), mp.Processes, giveSelfish, n)); err == nil || errors.Is(err, errHang) {
			t.Errorf("result of a process %d: got %v", n, err)
		}
	}
	ys, err := mp.Map[int](watchdog(t), p, takeSelfish, []selfish{{5}, {6}})
	if err != nil || !slices.Equal(ys, []int{5, 6}) {
		t.Errorf("got %v, %v", ys, err)
	}
}

func sizeOf(b []byte) int        { return len(b) }
func zeros(n int) []byte         { return make([]byte, n) }
func keepSize(b []byte)          { prepared2 = len(b) }
func preparedSize(int) int       { return prepared2 }
func ignoreBytes(_ []byte) error { return nil }

func TestValuesThatAreTooLarge(t *testing.T) {
	const limit = 1 << 20
	mp.SetMaxValue(limit)
	t.Cleanup(func() { mp.SetMaxValue(1<<31 - 1<<20) })
	env := mp.Env(fmt.Sprint(limitVariable, "=", limit))
	large := make([]byte, limit)
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, mp.ErrTooLarge) || !strings.Contains(err.Error(), "bytes") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := mp.Start(watchdog(t), mp.Processes, ignoreBytes, large, env)
	check("argument", err)
	_, err = result(mp.Go[[]byte](watchdog(t), mp.Processes, zeros, limit, env))
	check("result", err)
	_, err = mp.NewPool(mp.Processes, mp.Workers(1), mp.Initializer(keepSize, large), env)
	check("argument of the initializer", err)
	p := newPool(t, mp.Processes, mp.Workers(2), env, mp.Initializer(keepSize, large[:10]))
	_, err = mp.Map[int](watchdog(t), p, sizeOf, [][]byte{large[:10], large})
	check("argument of a task", err)
	_, err = mp.Map[[]byte](watchdog(t), p, zeros, []int{10, limit})
	check("result of a task", err)
	_, err = mp.Submit[int](watchdog(t), p, sizeOf, large).Result(watchdog(t))
	check("submitted argument", err)
	expect(t, limit-16)(mp.Submit[int](watchdog(t), p, sizeOf, large[:limit-16]).Result(watchdog(t)))
	ys, err := mp.Map[[]byte](watchdog(t), p, zeros, slices.Repeat([]int{limit - 16}, 20))
	if err != nil || len(ys[19]) != limit-16 {
		t.Errorf("results that are too large together: %v", err)
	}
	expect(t, 10)(mp.Submit[int](watchdog(t), p, preparedSize, 0).Result(watchdog(t)))
	expectMap(t, p)
}

// TestBusyParentLosesNoResult checks that a result is not lost if the parent reads it
// late.
func TestBusyParentLosesNoResult(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop atomic.Bool
	defer stop.Store(true)
	for range 12 {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	for range 3 {
		var out bytes.Buffer
		c, err := mp.Go[[]byte](watchdog(t), mp.Processes, sayZeros, 1<<18, mp.Stdout(&out))
		b, err := result(c, err)
		if err != nil || len(b) != 1<<18 {
			t.Errorf("got %d bytes, %v", len(b), err)
		}
		if out.Len() != 1<<18 {
			t.Errorf("%d bytes of output", out.Len())
		}
	}
}

func sayZeros(n int) []byte {
	b := make([]byte, n)
	_, _ = os.Stdout.Write(b)
	return b
}

func sayLine(n int) int {
	for range 3 {
		fmt.Print("line ")
		fmt.Print(n, strings.Repeat(".", 200))
		fmt.Fprint(os.Stderr, "")
		fmt.Println("end")
	}
	return n
}

func TestOutputOfAPoolIsWholeLines(t *testing.T) {
	var out bytes.Buffer
	p := newPool(t, mp.Processes, mp.Workers(4), mp.Stdout(&out), mp.Stderr(&out))
	if _, err := mp.Map[int](watchdog(t), p, sayLine, upTo(400)); err != nil {
		t.Fatal(err)
	}
	p.Close()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, l := range lines {
		if strings.Count(l, "line") != 1 || !strings.HasSuffix(l, ".end") {
			t.Fatalf("the line %q", l)
		}
	}
	if len(lines) != 1200 {
		t.Errorf("%d lines", len(lines))
	}
}

type badWriter struct{ goexit bool }

func (w badWriter) Write([]byte) (int, error) {
	if w.goexit {
		runtime.Goexit()
	}
	panic("no more room")
}

func TestWriterThatPanics(t *testing.T) {
	for _, w := range []io.Writer{badWriter{}, badWriter{true}} {
		p, err := mp.Start(watchdog(t), mp.Processes, say, strings.Repeat("long ", 50_000), mp.Stdout(w), mp.Stderr(io.Discard))
		endsWith(t, p, err, "cannot write a child's output", 0)
		pool := newPool(t, mp.Processes, mp.Workers(2), mp.Stdout(w))
		if _, err := mp.Map[int](watchdog(t), pool, sayLine, upTo(400)); err != nil {
			t.Error(err)
		}
	}
}
