package mp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func TestGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		g, err := mp.NewGroup(watchdog(t), b)
		if err != nil {
			t.Fatal(err)
		}
		g.SetLimit(2)
		n := mp.GoIn[int](g, square, 7)
		s := mp.GoIn[int](g, length, "hello")
		mp.StartIn(g, nothing, "")
		if err := g.Wait(watchdog(t)); err != nil {
			t.Error(err)
		}
		expect(t, 49)(n.Result(watchdog(t)))
		expect(t, 5)(s.Result(watchdog(t)))
	})
}

func TestGroupEndsWithTheFirstError(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		g, err := mp.NewGroup(watchdog(t), b, mp.Grace(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		waits := mp.StartIn(g, waitingErr, "")
		mp.StartIn(g, failing, "spinScore")
		err = g.Wait(watchdog(t))
		if err == nil || err.Error() != "no spinScore" {
			t.Errorf("got %v", err)
		}
		if cause := context.Cause(g.Context()); cause == nil || cause.Error() != "no spinScore" {
			t.Errorf("the cause is %v", cause)
		}
		if err := waits.Join(watchdog(t)); err == nil || errors.Is(err, errHang) {
			t.Errorf("got %v", err)
		}
		late := mp.GoIn[int](g, square, 1)
		if _, err := late.Result(watchdog(t)); err == nil {
			t.Error("a function of a group that has failed was run")
		}
	})
}

func TestGroupOfPanicsAndRefusals(t *testing.T) {
	var zero mp.Group
	mp.GoIn[int](&zero, explode, "now")
	if _, ok := errors.AsType[*mp.PanicError](zero.Wait(watchdog(t))); !ok {
		t.Error("the panic is not the group's error")
	}
	g, err := mp.NewGroup(watchdog(t), mp.Processes)
	if err != nil {
		t.Fatal(err)
	}
	n := 3
	mp.GoIn[int](g, func(x int) int { return n * x }, 1)
	refused(t, g.Wait(watchdog(t)), "captures variables")
	_, err = mp.NewGroup(watchdog(t), mp.Goroutines, mp.Env("A=1"))
	refused(t, err, "Env needs mp.Processes")
}

func TestGroupIsWaitedForWithADeadline(t *testing.T) {
	ctx, cancel := context.WithCancel(watchdog(t))
	g, err := mp.NewGroup(ctx, mp.Goroutines)
	if err != nil {
		t.Fatal(err)
	}
	mp.StartIn(g, waiting, "")
	short, stop := context.WithTimeout(watchdog(t), time.Millisecond)
	defer stop()
	if err := g.Wait(short); !errors.Is(err, mp.ErrRunning) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := g.Wait(watchdog(t)); err != nil {
		t.Error(err)
	}
}

func TestWaitAny(t *testing.T) {
	p := newPool(t, mp.Goroutines, mp.Workers(2))
	slow := made(mp.Start(watchdog(t), mp.Goroutines, waiting, ""))
	defer slow.Terminate()
	fast := mp.Submit[int](watchdog(t), p, square, 3)
	if i, err := mp.WaitAny(watchdog(t), slow, fast); i != 1 || err != nil {
		t.Errorf("got %d, %v", i, err)
	}
	if i, err := mp.WaitAny(watchdog(t), slow, fast, slow); i != 1 || err != nil {
		t.Errorf("got %d, %v", i, err)
	}
	short, stop := context.WithTimeout(watchdog(t), time.Millisecond)
	defer stop()
	if _, err := mp.WaitAny(short, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if i, err := mp.WaitAny(watchdog(t), slow, short); i != 1 || err != nil {
		t.Errorf("a context: got %d, %v", i, err)
	}
	if _, err := mp.WaitAny(watchdog(t)); err == nil || !strings.Contains(err.Error(), "at least one process") {
		t.Errorf("got %v", err)
	}
}
