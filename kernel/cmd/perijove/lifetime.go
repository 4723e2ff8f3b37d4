package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// parentPollInterval is the interval at which the kernel checks whether Jupyter still runs.
const parentPollInterval = 250 * time.Millisecond

// A lifetime is a context that ends with SIGTERM, SIGHUP or the end of the Jupyter process
// that started the kernel. SIGINT never ends it: it only stops the running cell, like an
// interrupt message.
type lifetime struct {
	context.Context
	interrupt atomic.Pointer[func()]
}

func newLifetime(ctx context.Context, log *slog.Logger) (*lifetime, func()) {
	ctx, cancel := context.WithCancel(ctx)
	l := &lifetime{Context: ctx}
	// Notify also enables signals that the parent ignored, as for a shell's background job.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer cancel()
		orphaned := parentGone(ctx, os.Getenv)
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGINT {
					l.interrupted()
					continue
				}
				log.Info("shutting down", "signal", s.String())
			case <-orphaned:
				log.Info("shutting down: the Jupyter that started the kernel has ended")
			case <-ctx.Done():
			}
			return
		}
	}()
	return l, func() {
		signal.Stop(signals)
		cancel()
	}
}

func (l *lifetime) onInterrupt(f func()) { l.interrupt.Store(&f) }

func (l *lifetime) interrupted() {
	if f := l.interrupt.Load(); f != nil {
		(*f)()
	}
}

// parentGone returns a channel that is closed when the process named by
// JPY_PARENT_PID, which Jupyter sets, has ended. Without the variable the
// channel is never closed: a kernel started by hand may outlive its shell.
func parentGone(ctx context.Context, getenv func(string) string) <-chan struct{} {
	gone := make(chan struct{})
	parent, err := strconv.Atoi(getenv("JPY_PARENT_PID"))
	if err != nil || parent <= 1 {
		return gone
	}
	go func() {
		tick := time.NewTicker(parentPollInterval)
		defer tick.Stop()
		// If the process named by JPY_PARENT_PID is the kernel's parent, a change of the parent
		// reliably shows that this process has ended. Checking the process ID is less reliable,
		// since another process may get the same ID.
		direct := os.Getppid() == parent
		for {
			if direct && os.Getppid() != parent || syscall.Kill(parent, 0) == syscall.ESRCH {
				close(gone)
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return gone
}
