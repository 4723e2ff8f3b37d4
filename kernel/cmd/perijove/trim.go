package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/plotfonts"
)

// startTrimDelay is how long after its start a kernel frees the memory that only the start needed. By then the
// front end has its first replies, and the worker process and the compilers for the first cell have started.
const startTrimDelay = time.Second

// trimAfterStart frees the memory that only the start needed.
func trimAfterStart(log *slog.Logger) {
	debug.FreeOSMemory()
	if err := errors.Join(plotfonts.Release(), platform.ReleaseFilePages()); err != nil {
		log.Info("cannot free the memory that the start of the kernel used", "error", err)
	}
}

// idleTrimDelay is the time without a running cell after which the kernel releases its code
// and constants.
const idleTrimDelay = 10 * time.Second

// A trimmedSession calls release when no cell has run for a while.
type trimmedSession struct {
	output.Session
	release func()
	delay   time.Duration

	mu      sync.Mutex
	running int         // cells; a subshell's cell runs beside others
	idle    *time.Timer // nil while a cell runs, and before the first one
}

// releaseFilePages releases the kernel's code and constants. The next cell needs 0.3 ms more.
func releaseFilePages(log *slog.Logger) {
	if err := platform.ReleaseFilePages(); err != nil {
		log.Info("cannot free the memory of an idle kernel", "error", err)
	}
}

func (s *trimmedSession) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	s.begin()
	defer s.end()
	return s.Session.Execute(ctx, req, sink)
}

func (s *trimmedSession) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
	s.stop()
}

func (s *trimmedSession) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 {
		s.idle = time.AfterFunc(s.delay, s.release)
	}
}

// Close closes the session. After that, release is not called.
func (s *trimmedSession) Close() error {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	return s.Session.Close()
}

// stop stops the timer. s.mu is locked.
func (s *trimmedSession) stop() {
	if s.idle != nil {
		s.idle.Stop()
		s.idle = nil
	}
}
