package session

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
)

// soloPackage is what a cell's program runs in, where cells cannot be linked
// into a worker.
const soloPackage = "github.com/perijove/perijove/kernel/internal/standalone"

// solo reports whether each cell runs as a program of its own.
func (s *Session) solo() bool { return s.cfg.Image.Unfit != "" }

// runSolo links a cell to a program and runs it. Declarations of the notebook
// are kept, since they are source; variables end with the program.
func (r *run) runSolo(unit *program.Unit) *output.Error {
	if !r.toldSolo {
		r.toldSolo = true
		r.sink.Stream(output.Stderr, "cells run as programs of their own here, so variables and goroutines end with their cell, and functions, types and constants stay: "+r.cfg.Image.Unfit+"\n")
	}
	program := r.program.Load()
	if unit.Object == "" || unit.Entry == "" && !unit.Init {
		program.Commit(unit)
		program.WorkerLost()
		return nil
	}
	w, err := r.startSolo(unit)
	if err != nil {
		if r.ctx.Err() != nil {
			return failure("Interrupted", "interrupted while linking")
		}
		return failure("BuildError", err.Error())
	}
	out, err := w.run(r.ctx, control.Run{}, r.sink, func(_, _ []string) {
		program.Commit(unit)
	})
	r.mu.Lock()
	r.worker = nil
	r.mu.Unlock()
	w.kill()
	program.WorkerLost()
	if err == nil {
		return r.outcomeError(out)
	}
	return r.soloDied(w)
}

func (r *run) startSolo(unit *program.Unit) (*process, error) {
	exe := filepath.Join(r.scratch, "solo")
	args, err := r.program.Load().Compiler.LinkCommand(unit.Object, exe, unit.Imports)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(r.ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), r.cfg.Env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("linking the cell: %w\n%s", err, strings.TrimSpace(string(said)))
	}
	w, err := r.starter(exe)(r.ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	closed := r.closed
	r.worker = w
	r.mu.Unlock()
	if closed {
		w.kill()
		return nil, errors.New("the session is closed")
	}
	return w, r.tellSetup(r.ctx, w)
}

// soloDied says how a program ended that did not come to its cell's end: by
// os.Exit, or by what no program survives.
func (r *run) soloDied(w *process) *output.Error {
	st := w.cmd.ProcessState
	ws, ok := st.Sys().(syscall.WaitStatus)
	cause := w.dump.cause()
	switch {
	case ok && ws.Exited() && ws.ExitStatus() == 0:
		return nil
	case ok && ws.Exited() && cause == "":
		return failure("Exit", fmt.Sprintf("exit status %d", ws.ExitStatus()))
	}
	value, isPanic := strings.CutPrefix(w.cause(), "panic: ")
	calls, started := w.dump.stack(r.view().all)
	if isPanic && started != nil { // package solo tells of the cell's own goroutine
		o := &control.Outcome{How: control.Panicked, Value: value, Frames: calls, Goroutine: "goroutine", Started: started}
		if started.Func == "time.goFunc" {
			o.Goroutine, o.Started = "timer", nil
		}
		return panicError(o, r.view())
	}
	lines := append([]string{"panic: " + value}, r.view().calls(w.dump.frames(r.view().all))...)
	return &output.Error{Name: "panic", Value: value, Traceback: lines}
}
