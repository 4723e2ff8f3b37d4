package supervisor

import (
	"cmp"
	"os"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
)

const (
	// interruptTimeout is how long a worker process may take to answer an interrupt.
	interruptTimeout = 10 * time.Second
	killTimeout      = 5 * time.Second
)

// Interrupt tells the worker process to stop the running cell. If no cell runs, the process answers with the number
// of goroutines that earlier interrupts could not stop.
func (w *Worker) Interrupt() {
	w.mu.Lock()
	running := w.done != nil
	w.interrupted = w.id
	if w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	if running {
		w.interruptTimer.Reset(interruptTimeout)
	}
	go func() { // Send blocks if the worker process does not read
		_ = w.conn.Send(control.Interrupt{})
	}()
}

// InterruptAgain ends the worker process, unless it has answered the interrupt. It does not wait.
func (w *Worker) InterruptAgain() {
	select {
	case w.secondInterrupt <- struct{}{}:
	default:
	}
}

// Kill ends the worker process and its process group. It waits for their end, but no longer than killTimeout.
func (w *Worker) Kill() {
	w.killGroup()
	select {
	case <-w.ended:
	case <-time.After(killTimeout):
		w.log.Error("the worker process does not end", "pid", w.PID())
	}
}

// Crash returns the runtime's report of a crash. It is valid once IsDead returns true.
func (w *Worker) Crash() *CrashDump { return &w.crash }

// ExitCode returns the exit code of a worker process that has ended. exited is false if a signal has ended the
// process.
func (w *Worker) ExitCode() (code int, exited bool) {
	status, ok := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return w.cmd.ProcessState.ExitCode(), ok && status.Exited()
}

// Cause returns a sentence that says why the worker process ended. It is valid once IsDead returns true.
func (w *Worker) Cause() string {
	if w.fatalErr != nil {
		return w.fatalErr.Error()
	}
	if c := w.crash.Cause(); c != "" {
		return cmp.Or(w.outOfMemory(c), c)
	}
	state := w.cmd.ProcessState
	if state == nil {
		return "the reason is not known"
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return endedBySignal(status.Signal(), os.DirFS("/"), w.oomKills)
	}
	return "the process ended with " + state.String() + " without a call of os.Exit, as after a call of syscall.Exit or syscall.Exec"
}
