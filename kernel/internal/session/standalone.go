package session

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// runStandalone links a cell to a program and runs it. Functions, types and constants stay
// declared, since they are source; variables end with the program.
func (r *run) runStandalone(unit *program.Unit) *output.Error {
	if !r.session.hasExplainedStandalone {
		r.session.hasExplainedStandalone = true
		r.sink.Stream(output.Stderr, "each cell runs as a separate program: its variables and goroutines end with it, and functions, types and constants stay. The reason: "+r.session.cfg.Image.Unfit+"\n")
	}
	program := r.session.program.Load()
	if unit.Object == "" || unit.Entry == "" && !unit.Init {
		program.Commit(unit)
		program.WorkerLost()
		return nil
	}
	w, err := r.startStandalone(unit)
	if err != nil {
		if r.ctx.Err() != nil {
			return traceback.New("Interrupted", "interrupted while linking")
		}
		return traceback.New("BuildError", err.Error())
	}
	out, err := w.Run(r.ctx, control.Run{}, r.sink, func(_, _ []string) {
		program.Commit(unit)
	})
	r.session.mu.Lock()
	r.session.worker = nil
	r.session.mu.Unlock()
	w.Kill()
	program.WorkerLost()
	if err == nil {
		return r.session.style().Error(out)
	}
	return r.standaloneError(w)
}

func (r *run) startStandalone(unit *program.Unit) (*worker, error) {
	exe := filepath.Join(r.session.scratch.Path, "cell")
	args, err := r.session.program.Load().Compiler.LinkCommand(unit.Object, exe, unit.Imports)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(r.ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), r.session.cfg.Env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot link the cell: %w\n%s", err, strings.TrimSpace(string(said)))
	}
	w, err := r.session.starter(exe)(r.ctx)
	if err != nil {
		return nil, err
	}
	r.session.mu.Lock()
	closed := r.session.closed
	r.session.worker = w
	r.session.mu.Unlock()
	if closed {
		w.Kill()
		return nil, errSessionClosed
	}
	return w, r.session.sendSetup(r.ctx, w)
}

// standaloneError returns the error of a program that ended before its cell did, by
// os.Exit or by a crash; nil for exit code 0.
func (r *run) standaloneError(w *worker) *output.Error {
	code, exited := w.ExitCode()
	switch {
	case exited && code == 0:
		return nil
	case exited && w.Crash().Cause() == "":
		return traceback.New("Exit", fmt.Sprintf("exit status %d", code))
	}
	value, isPanic := strings.CutPrefix(w.Cause(), "panic: ")
	style := r.session.style()
	calls, started := w.Crash().Stack(style.AllFrames)
	if isPanic && started != nil { // package standalone itself reports a panic of the cell's goroutine
		o := &control.Outcome{How: control.Panicked, Value: value, Frames: calls, Goroutine: "goroutine", Started: started}
		if started.Func == "time.goFunc" {
			o.Goroutine, o.Started = "timer", nil
		}
		return style.Panic(o)
	}
	lines := append([]string{"panic: " + value}, style.Calls(w.Crash().Frames(style.AllFrames))...)
	return &output.Error{Name: "panic", Value: value, Traceback: lines}
}
