package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/cellprofile"
	"github.com/perijove/perijove/kernel/internal/celltrace"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	product "github.com/perijove/perijove/kernel/internal/version"
)

// mainDirective sets the arguments. The parser has added the call of flag.Parse to the cell.
func (r *run) mainDirective(d cell.DirectiveLine) error { return r.argsDirective(d) }

// execDirective sets the arguments. The parser has added the calls to the cell.
func (r *run) execDirective(d cell.DirectiveLine) error {
	name, args, _ := strings.Cut(d.Args, " ")
	if d.Function == "" {
		return fmt.Errorf("%q is not the name of a function: write %%exec FUNCTION [ARG ...]", name)
	}
	return r.argsDirective(cell.DirectiveLine{Args: args})
}

func (r *run) argsDirective(d cell.DirectiveLine) error {
	args, err := splitWords(d.Args)
	if err != nil {
		return err
	}
	r.session.setup.Args = append([]string{"notebook"}, args...)
	return r.session.applySetup(r.ctx, control.Setup{Args: r.session.setup.Args})
}

func (r *run) tracebackDirective(d cell.DirectiveLine) error {
	switch strings.TrimSpace(d.Args) {
	case "all":
		r.session.allFrames.Store(true)
	case "cells", "":
		r.session.allFrames.Store(false)
	default:
		return errors.New("the argument must be all or cells: write %traceback all or %traceback cells")
	}
	return nil
}

func (r *run) cdDirective(d cell.DirectiveLine) error {
	dir := strings.TrimSpace(d.Args)
	if home, err := os.UserHomeDir(); err == nil && (dir == "" || dir == "~" || strings.HasPrefix(dir, "~/")) {
		dir = filepath.Join(home, strings.TrimPrefix(strings.TrimPrefix(dir, "~"), "/"))
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.session.dir(), dir)
	}
	if st, err := os.Stat(dir); err != nil {
		return err
	} else if !st.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if err := r.session.applySetup(r.ctx, control.Setup{Dir: dir}); err != nil {
		return err
	}
	r.session.setup.Dir = dir
	r.session.cellDir.Store(&dir)
	r.session.modules.SetFolder(dir)
	r.print("%s\n", dir)
	return nil
}

func (r *run) pwdDirective(cell.DirectiveLine) error {
	r.print("%s\n", r.session.dir())
	return nil
}

func (r *run) envDirective(d cell.DirectiveLine) error {
	arg := strings.TrimSpace(d.Args)
	i := strings.IndexAny(arg, "= \t")
	switch i {
	case -1:
		return r.printEnv(arg)
	case 0:
		return errors.New("the name of the variable is missing: write %env NAME=VALUE")
	}
	name, value := arg[:i], strings.TrimSpace(arg[i+1:])
	v := name + "=" + value
	if err := r.session.applySetup(r.ctx, control.Setup{Env: []string{v}}); err != nil {
		return err
	}
	r.session.setup.Env = append(r.session.setup.Env, v)
	if !r.session.modules.Setenv(name, value) && strings.HasPrefix(name, "GO") {
		r.sink.Stream(output.Stderr, name+" is set for cells and what they start; packages are compiled with the value from the start of the kernel\n")
	}
	return nil
}

// memoryDirective shows or changes the memory limit.
func (r *run) memoryDirective(d cell.DirectiveLine) error {
	text := strings.TrimSpace(d.Args)
	if text == "" {
		w, err := r.session.ensureWorker(r.ctx)
		if err != nil {
			return err
		}
		r.print("%s, limit %s\n", w.MemoryInUse(), r.session.memoryLimit)
		return nil
	}
	l, err := supervisor.ParseMemoryLimit(text, os.DirFS("/"))
	if err != nil {
		return err
	}
	w, err := r.session.ensureWorker(r.ctx)
	if err != nil {
		return err
	}
	if err := w.SetMemoryLimit(r.ctx, l); err != nil {
		return err
	}
	r.session.memoryLimit = l
	r.session.compilerLimit.Store(l.Bytes)
	r.print("memory: %s\n", l)
	return nil
}

func (r *run) outputDirective(d cell.DirectiveLine) error {
	if text := strings.TrimSpace(d.Args); text != "" {
		l, err := sinks.ParseLimit(text)
		if err != nil {
			return err
		}
		r.session.outputLimit = l
	}
	r.print("the text that a cell prints is shown %v\n", r.session.outputLimit)
	return nil
}

func (r *run) versionDirective(cell.DirectiveLine) error {
	r.print("Perijove %s, %s\n", product.Version, r.session.cfg.Image.Toolchain.Version)
	return nil
}

// timeDirective handles %%time, and %time without a statement, which is an error. The
// parser has turned %time STATEMENT into code of the cell.
func (r *run) timeDirective(d cell.DirectiveLine) error {
	if d.Name == "%%time" && strings.TrimSpace(d.Args) == "" {
		return nil // the code that the parser has added measures the time
	}
	return errors.New("%time needs a statement, and %%time takes none: write %time STATEMENT for one statement, or %%time alone in its line for the whole cell")
}

func (r *run) timeitDirective(cell.DirectiveLine) error {
	return errors.New("there is no statement to repeat, or an option is invalid: write %timeit STATEMENT, or %%timeit above the statements, optionally with -n LOOPS and -r RUNS")
}

// A traceFolder is the folder into which %%trace records a cell. The zero traceFolder
// means that the cell is not recorded.
type traceFolder struct {
	path string
	kept bool // it stays when the kernel ends
}

// traceDirective handles %%trace: the worker process records the rest of the cell.
func (r *run) traceDirective(d cell.DirectiveLine) error {
	args, err := splitWords(d.Args)
	switch {
	case err != nil:
		return err
	case len(args) > 1:
		return errors.New("there are too many arguments: write %%trace alone in its line, or %%trace FOLDER")
	case r.session.isStandalone():
		return errors.New("%%trace cannot record cells that run as separate programs: use mp.Trace in the cell's code")
	case len(args) == 1:
		folder, _, err := r.fileArgument(d.Args)
		r.trace = traceFolder{folder, true}
		return err
	}
	r.trace.path, err = os.MkdirTemp(r.session.scratch.Path, "trace-")
	return err
}

// showTrace shows the timeline of a traced cell, even if the cell has failed.
func (r *run) showTrace(failed *output.Error) {
	if r.trace.path == "" || failed != nil && (failed.Name == "CompileError" || failed.Name == "LinkError" || failed.Name == "TraceError") {
		return
	}
	d, err := celltrace.Show(r.trace.path, r.trace.kept)
	if err != nil {
		r.sink.Stream(output.Stderr, err.Error()+"\n")
		return
	}
	r.sink.Display(d)
}

// profDirective handles %%prof: the rest of the cell runs with a profiler.
func (r *run) profDirective(d cell.DirectiveLine) error {
	if r.session.isStandalone() {
		return errors.New("%%prof cannot measure cells that run as separate programs: use package runtime/pprof in the cell's code")
	}
	args, err := splitWords(d.Args)
	if err == nil {
		r.prof, err = cellprofile.NewRun(args, r.session.dir(), r.session.scratch.Path)
	}
	return err
}

// profilerCell runs code of the profiler, which an interrupt does not stop.
func (r *run) profilerCell(code string) *output.Error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), time.Minute)
	defer cancel()
	other := *r
	other.ctx, other.trace = ctx, traceFolder{}
	return other.runGenerated(code, false, cellprofile.Imports())
}

func (r *run) endProfile(failed *output.Error) {
	r.prof.End(r.profilerCell, r.sink, failed, r.n, r.session.style().Source)
}
