package mp_test

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func receiveOne(c *mp.Conn[[]byte]) { _, _ = c.Recv(context.Background()); select {} }

// soon fails if an operation on a pipe to a dead process takes much longer than 100 ms,
// in which it should end; a busy machine may need longer.
func soon(t *testing.T, what string, want error, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	case <-watchdog(t).Done():
		t.Fatalf("%s hangs", what)
	}
}

func TestPipeToAKilledProcess(t *testing.T) {
	ctx := watchdog(t)
	big := make([]byte, 1<<20)
	for name, kill := range map[string]func(a *mp.Conn[[]byte], p *mp.Process){
		"after it received": func(a *mp.Conn[[]byte], p *mp.Process) {
			if err := a.Send(ctx, big); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Millisecond)
			_ = p.Kill()
		},
		"before it begins": func(_ *mp.Conn[[]byte], p *mp.Process) { _ = p.Kill() },
		"while another waits": func(_ *mp.Conn[[]byte], p *mp.Process) {
			time.AfterFunc(50*time.Millisecond, func() { _ = p.Kill() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b, err := mp.NewPipe[[]byte](mp.Processes)
			if err != nil {
				t.Fatal(err)
			}
			p := made(mp.Start(ctx, mp.Processes, receiveOne, b))
			kill(a, p)
			soon(t, "Recv", io.EOF, func() error { _, err := a.Recv(ctx); return err })
			_ = p.Join(ctx)
			time.Sleep(100 * time.Millisecond)
			soon(t, "Send", mp.ErrPeerDied, func() error { return a.Send(ctx, big) })
			soon(t, "Send again", mp.ErrPeerDied, func() error { return a.Send(ctx, big) })
		})
	}
}

// TestSendThatWaits checks that a Send that waits for room ends when its context ends
// and when its peer dies.
func TestSendThatWaits(t *testing.T) {
	a, b, err := mp.NewPipe[[]byte](mp.Processes)
	if err != nil {
		t.Fatal(err)
	}
	p := made(mp.Start(watchdog(t), mp.Processes, receiveOne, b))
	big := make([]byte, 64<<20)
	fill := func(ctx context.Context) (err error) {
		for n := 0; err == nil; n++ {
			if n == 3 {
				err = a.Send(ctx, big[:1])
				_ = syscall.Kill(p.PID(), syscall.SIGKILL)
			} else {
				err = a.Send(ctx, big)
			}
		}
		return err
	}
	soon(t, "Send", mp.ErrPeerDied, func() error { return fill(watchdog(t)) })
	ctx, cancel := context.WithCancel(watchdog(t))
	cancel()
	soon(t, "Send", context.Canceled, func() error { return a.Send(ctx, nil) })
}

func TestHalfClosedPipe(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		mine, its, err := mp.NewPipe[int](b)
		if err != nil {
			t.Fatal(err)
		}
		p := made(mp.Start(watchdog(t), b, sumAll, its))
		if mine.Poll() {
			t.Error("a value that was not sent")
		}
		for i := range 10 {
			if err := mine.Send(watchdog(t), i); err != nil {
				t.Fatal(err)
			}
		}
		mine.CloseWrite()
		if err := mine.Send(watchdog(t), 1); !errors.Is(err, mp.ErrClosed) {
			t.Errorf("got %v", err)
		}
		expect(t, 45)(mine.Recv(watchdog(t)))
		endsWith(t, p, nil, "", 0)
	})
}

func sumAll(c *mp.Conn[int]) error {
	for sum := 0; ; {
		n, err := c.Recv(context.Background())
		if err == io.EOF {
			return c.Send(context.Background(), sum)
		}
		if err != nil {
			return err
		}
		sum += n
	}
}
