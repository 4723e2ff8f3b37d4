package program

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/kernel/internal/memory"
)

// A compiler may use as much memory as a cell may: RLIMIT_DATA bounds its
// process, and whoever watches over more than that process can end it. It
// collects its garbage only when it has much, since that costs small cells time.

// ErrMemory is the error of a Build whose compiler was refused memory.
var ErrMemory = errors.New("the compiler ran out of memory")

const (
	// leastMemory is what every compiler may use, in bytes, whatever the limit:
	// a small cell is how memory is freed.
	leastMemory = 256 << 20
	// mostGarbage bounds the heap, in bytes, from which on the compiler collects
	// its garbage.
	mostGarbage = 2 << 30
)

// LeastMemory is what every compiler may use, in bytes, whatever the limit.
const LeastMemory int64 = leastMemory

// memory returns what a compiler may use, in bytes; 0 for no limit.
func (cfg *Config) memory() int64 {
	if cfg.Memory == nil {
		return 0
	}
	n := cfg.Memory()
	if n == 0 {
		return 0
	}
	return max(n, leastMemory)
}

// collectorEnv has a compiler that may use so much memory collect its garbage
// late.
func collectorEnv(limit int64) []string {
	soft := int64(mostGarbage)
	if limit > 0 {
		soft = min(soft, limit/2)
	}
	return []string{"GOGC=off", fmt.Sprint("GOMEMLIMIT=", soft)}
}

// ownGroup has a command run in a process group of its own, which killGroup
// ends: the compile tool may be a script that starts another.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) } // fails if it has ended

// A compilation is the compiler that works for a Build, if one does.
type compilation struct {
	mu      sync.Mutex // guards what follows
	cmd     *exec.Cmd  // nil if none does
	stopped error      // why StopCompiler has ended it
}

// begin notes that a compiler works for a unit, limits its memory, and ends it
// when ctx ends. The function that it returns is given what came of waiting for
// the compiler, and returns why that failed.
func (c *compilation) begin(ctx context.Context, cmd *exec.Cmd, limit int64) (end func(error) error) {
	c.mu.Lock()
	c.cmd, c.stopped = cmd, nil
	c.mu.Unlock()
	if limit > 0 {
		r := &unix.Rlimit{Cur: uint64(limit), Max: uint64(limit)}
		_ = unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, r, nil) // fails if it has ended, or has a lower limit
	}
	release := context.AfterFunc(ctx, func() { c.stop(cmd, nil) })
	return func(err error) error {
		release()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cmd = nil
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && c.stopped != nil:
			return &stoppedError{c.stopped}
		}
		return err
	}
}

// stop ends the compiler if it is cmd that works, or whichever if cmd is nil.
func (c *compilation) stop(cmd *exec.Cmd, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil || cmd != nil && c.cmd != cmd {
		return
	}
	c.stopped = reason
	killGroup(c.cmd)
}

// A stoppedError is why StopCompiler was called.
type stoppedError struct{ error }

func (e *stoppedError) Unwrap() error { return e.error }

// CompilerPID returns the process of the compiler that works for a Build, or 0
// if none does.
func (p *Program) CompilerPID() int {
	p.compiling.mu.Lock()
	defer p.compiling.mu.Unlock()
	if p.compiling.cmd == nil {
		return 0
	}
	return p.compiling.cmd.Process.Pid
}

// StopCompiler ends the compiler that works for a Build, if one does. The Build
// fails with reason.
func (p *Program) StopCompiler(reason error) { p.compiling.stop(nil, reason) }

// final returns the error that running another compiler would give as well, or
// nil. err is that of a compiler, and out what it wrote.
func (c *Config) final(err error, out string) error {
	var stopped *stoppedError
	switch {
	case errors.As(err, &stopped):
		return stopped.error
	case c.memory() > 0 && memory.DiedOf(out):
		return ErrMemory
	}
	return nil
}
