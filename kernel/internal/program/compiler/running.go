package compiler

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

// A compiler process has the same memory limit as a cell: RLIMIT_DATA limits the process, and
// the supervisor, which watches the memory of all processes of the notebook, can end it. Its
// garbage collector starts late, since collections cost small cells time.

// ErrMemory is the error of Compile if the compiler process reached its memory limit.
var ErrMemory = errors.New("the compiler ran out of memory")

// LeastMemory is the lowest memory limit of a compiler process, in bytes, even if Config.Memory returns less. Users
// free memory by running a small cell, so small cells must always compile.
const LeastMemory int64 = 256 << 20

// maxGarbage bounds the heap, in bytes, at which the compiler begins to collect
// its garbage.
const maxGarbage int64 = 2 << 30

// memory returns the memory limit of a compiler process in bytes; 0 for no limit.
func (cfg *Config) memory() int64 {
	if cfg.Memory == nil {
		return 0
	}
	n := cfg.Memory()
	if n == 0 {
		return 0
	}
	return max(n, LeastMemory)
}

// collectorEnv returns the environment variables that make a compiler with this
// memory limit collect its garbage late.
func collectorEnv(limit int64) []string {
	soft := maxGarbage
	if limit > 0 {
		soft = min(soft, limit/2)
	}
	return []string{"GOGC=off", fmt.Sprint("GOMEMLIMIT=", soft)}
}

// ownGroup makes a command the leader of a new process group, which killGroup
// kills: the compile tool may be a script that starts another process.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) } // fails if it has ended

// A running holds the process that is compiling a unit, if there is one.
type running struct {
	mu      sync.Mutex // guards the fields below
	cmd     *exec.Cmd  // nil if no process is compiling
	stopErr error      // the reason of Stop, if that ended the process
}

// begin records cmd as the process that compiles a unit, limits its memory, and kills it when ctx ends. The returned
// function takes the result of cmd.Wait and returns the error of the compilation.
func (r *running) begin(ctx context.Context, cmd *exec.Cmd, limit int64) (end func(error) error) {
	r.mu.Lock()
	r.cmd, r.stopErr = cmd, nil
	r.mu.Unlock()
	if limit > 0 {
		lim := &unix.Rlimit{Cur: uint64(limit), Max: uint64(limit)}
		_ = unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, lim, nil) // fails if it has ended, or has a lower limit
	}
	release := context.AfterFunc(ctx, func() { r.stop(cmd, nil) })
	return func(err error) error {
		release()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cmd = nil
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && r.stopErr != nil:
			return &stoppedError{r.stopErr}
		}
		return err
	}
}

// stop kills the process that is compiling if it is cmd or cmd is nil.
func (r *running) stop(cmd *exec.Cmd, reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd == nil || cmd != nil && r.cmd != cmd {
		return
	}
	r.stopErr = reason
	killGroup(r.cmd)
}

// A stoppedError wraps the reason that was passed to Stop.
type stoppedError struct{ error }

func (e *stoppedError) Unwrap() error { return e.error }

// PID returns the ID of the process that is compiling a unit, or 0. It may be
// called concurrently with Compile.
func (c *Compiler) PID() int {
	c.running.mu.Lock()
	defer c.running.mu.Unlock()
	if c.running.cmd == nil {
		return 0
	}
	return c.running.cmd.Process.Pid
}

// Stop kills the process that is compiling a unit, if there is one: Compile fails with
// reason. It may be called concurrently with Compile.
func (c *Compiler) Stop(reason error) { c.running.stop(nil, reason) }

// final returns an error if another attempt to compile the unit would fail as well: the process was
// stopped or ran out of memory. Otherwise it returns nil. err is the error of the process, out its output.
func (cfg *Config) final(err error, out string) error {
	var stopped *stoppedError
	switch {
	case errors.As(err, &stopped):
		return stopped.error
	case cfg.memory() > 0 && memory.DiedOf(out):
		return ErrMemory
	}
	return nil
}
