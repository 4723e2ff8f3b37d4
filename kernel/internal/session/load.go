package session

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/replay"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// execute compiles, loads and runs the Go code of a cell. If the cell was loaded,
// execute calls note with its unit and its error, which is nil if it succeeded.
func (r *run) execute(c *cell.Cell, note func(*program.Unit, *output.Error)) *output.Error {
	if r.session.isGoNB {
		c = c.WithInits()
	}
	return r.load(c, false, note)
}

// load does the work of execute. If endsOnAnyPanic is true, an unrecovered panic in any goroutine ends the cell, as it
// would end a program.
func (r *run) load(c *cell.Cell, endsOnAnyPanic bool, note func(*program.Unit, *output.Error)) *output.Error {
	program := r.session.program.Load()
	unit, err := program.Build(r.ctx, c)
	if err != nil {
		if r.ctx.Err() != nil {
			return traceback.New(traceback.Interrupted, "interrupted while compiling")
		}
		if out := r.session.compilerError(err); out != nil {
			return out
		}
		if gone := r.session.checkImage(err); gone != nil {
			return traceback.New("ImageError", gone.Error())
		}
		return buildError(err)
	}
	for _, text := range unit.Notices {
		r.sink.Stream(output.Stderr, text+"\n")
	}
	r.remark(unit.Returns...)
	if len(unit.Flags) > 0 {
		if err := r.session.applySetup(r.ctx, control.Setup{Flags: unit.Flags}); err != nil {
			return workerError(err)
		}
	}
	if r.session.isStandalone() {
		return r.runStandalone(unit)
	}
	w, err := r.session.ensureWorker(r.ctx)
	if err != nil {
		return workerError(err)
	}
	if unit.Object == "" {
		program.Commit(unit)
		note(unit, nil)
		return nil
	}
	return r.link(w, program, unit, endsOnAnyPanic, note)
}

// link makes the worker process load and run a unit. The unit's declarations are committed as soon as it is linked,
// whether or not the cell fails later.
func (r *run) link(w *worker, program *program.Program, unit *program.Unit, endsOnAnyPanic bool, note func(*program.Unit, *output.Error)) *output.Error {
	extra, err := r.session.modules.ExtraImportcfg()
	if err != nil {
		return traceback.New("WorkerError", err.Error())
	}
	loaded := false
	out, err := w.Run(r.ctx, control.Run{
		Initial: control.Initial(unit.Initial), Importcfg: extra, Forget: r.session.forget, EndsOnAnyPanic: endsOnAnyPanic, Trace: r.trace.path, TextOnly: r.session.textOnly, Cell: r.n, Live: r.session.modules.Live(), Retry: unit.Retry,
		Object: unit.Object, Fresh: unit.Fresh, Renewed: unit.Renewed, Literals: unit.Literals, Entry: unit.Entry, Init: unit.Init, Source: unit.Source,
	}, r.sink, func(reset, notices []string) {
		program.Commit(unit)
		r.session.forget, loaded = false, true
		unit.Effects.Writes = append(unit.Effects.Writes, reset...)
		if len(reset) > 0 {
			r.sink.Stream(output.Stderr, "reset to the zero value, since the type changed: "+strings.Join(reset, ", ")+"\n")
		}
		for _, text := range notices {
			r.sink.Stream(output.Stderr, text+"\n")
		}
	})
	var failed *output.Error
	if err != nil {
		failed = r.session.loadError(w, unit.Cell, err)
	} else if failed = r.recordInitialization(program, out); failed == nil {
		failed = r.session.style().Error(out)
	}
	if loaded {
		r.session.sendDropped(w, program)
		r.reportRetyped(unit, out, failed)
		note(unit, failed)
	}
	return failed
}

// addToJournal adds the run of a cell that was loaded to the journal.
func (r *run) addToJournal(code string, u *program.Unit, failed *output.Error) {
	e := &replay.Entry{Cell: r.n, Source: code, Effects: u.Effects, Dir: r.session.setup.Dir, Args: r.session.setup.Args}
	if failed != nil {
		e.Unfit = unfitFailed
		switch failed.Name {
		case traceback.WorkerDied:
			e.IsGone, e.Unfit = true, unfitCrashed
		case traceback.Interrupted:
			e.Unfit = unfitInterrupted
		}
	}
	r.session.journal.Add(e)
}

// loadError returns the error of a cell that could not be linked, or in which the worker process died or was ended by
// Close.
func (s *Session) loadError(w *worker, c *cell.Cell, err error) *output.Error {
	var refused *supervisor.LoadError
	if errors.As(err, &refused) {
		if refused.Untraced {
			return traceback.New("TraceError", refused.Reason)
		}
		if gone := s.checkImage(err); gone != nil {
			return traceback.New("ImageError", gone.Error())
		}
		return s.linkError(c, refused)
	}
	if s.isClosed() {
		return workerError(errSessionClosed) // Close ended the worker process
	}
	return &output.Error{Name: traceback.WorkerDied, Value: w.Cause(), Traceback: s.deathReport(w, "the process that runs the cells died: ")}
}

// reportRetyped reports the variables to which a failed cell has given another type but no value.
func (r *run) reportRetyped(unit *program.Unit, out *control.Outcome, failed *output.Error) {
	if failed == nil || out == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(unit.Retyped)) {
		if !slices.Contains(out.Assigned, name) {
			r.sink.Stream(output.Stderr, unit.Retyped[name]+"\n")
		}
	}
}

// compilerError returns the error of a cell whose compiler took too much
// memory, or nil.
func (s *Session) compilerError(err error) *output.Error {
	var stopped *output.Error
	switch {
	case errors.As(err, &stopped):
		return stopped
	case errors.Is(err, compiler.ErrMemory):
		return traceback.New(traceback.Memory, fmt.Sprintf("%v: compiling this cell takes more than the limit of %s; %s", err, s.memoryLimit, supervisor.CompilerAdvice))
	}
	return nil
}

// checkImage returns an error if a build failed because files of the image are missing.
// It looks for each of the files only if err may be about them. If err is about a mistake in the cell, it checks only
// that the image's folder exists.
func (s *Session) checkImage(err error) error {
	var mistakes cell.Errors
	if errors.As(err, &mistakes) && !strings.Contains(err.Error(), s.cfg.Image.Dir) {
		if _, err := os.Stat(s.cfg.Image.Dir); err == nil {
			return nil
		}
	}
	return s.cfg.Image.Check()
}

// linkError returns the error of a cell that the linker refused, with the line of the cell that caused the refusal.
func (s *Session) linkError(c *cell.Cell, e *supervisor.LoadError) *output.Error {
	failed := traceback.New("LinkError", e.Error())
	at := e.At
	if at == nil {
		at = importLine(c, e.Import)
	}
	if at != nil {
		style := s.style()
		style.Source = func(n int) (string, bool) { return c.Src, n == c.N } // the program does not have the cell yet
		failed.Traceback = append(failed.Traceback, style.Calls([]control.Frame{*at})...)
	}
	return failed
}

// importLine returns where a cell imports a package, or nil.
func importLine(c *cell.Cell, path string) *control.Frame {
	for _, im := range c.Imports {
		if im.Path == path {
			return &control.Frame{Func: fmt.Sprintf("cell.%d", c.N), File: cell.Name(c.N), Line: im.Pos.Line}
		}
	}
	return nil
}

// buildError returns the cell's error for an error of Build.
func buildError(err error) *output.Error {
	var errs cell.Errors
	if errors.As(err, &errs) && len(errs) > 0 {
		value := errs[0].Error()
		if len(errs) > 1 {
			value += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		return &output.Error{Name: "CompileError", Value: value, Traceback: strings.Split(errs.Render(), "\n")}
	}
	return traceback.New("BuildError", err.Error())
}

// reloadEdited reloads packages of the notebook's module that the user has edited, and
// prints a notice.
func (r *run) reloadEdited() {
	line := r.progress()
	change := r.session.modules.Refresh(r.ctx, line.compiling)
	line.end()
	if change == nil {
		return
	}
	names := strings.Join(change.Edited, ", ")
	err := change.Err
	var renewed bool
	if err == nil {
		renewed, err = r.reload(change)
	}
	switch {
	case r.ctx.Err() != nil:
	case err != nil:
		r.sink.Stream(output.Stderr, names+" changed, but cannot be loaded again; the old code stays: "+err.Error()+"\n")
	case renewed:
		r.sink.Stream(output.Stderr, "reloaded "+names+", which changed: its variables are initialized again, and its types are new; earlier values keep the old types\n")
	default:
		r.remark("reloaded " + names + ", which changed: its variables are initialized again, and values made before have the new methods")
	}
}

// reload makes the worker process and the program replace packages by their changed versions. It reports whether the
// packages' types are new types, different from the old ones.
func (r *run) reload(change *modules.Change) (renewed bool, err error) {
	prog := r.session.program.Load()
	renewed = prog.Changed(change.Packages) || change.VersionChanged
	r.session.mu.Lock()
	w := r.session.worker
	r.session.mu.Unlock()
	if w != nil && !w.IsDead() {
		extra, err := r.session.modules.ExtraImportcfg()
		if err != nil {
			return false, err
		}
		renewed, err = w.Reload(r.ctx, control.Reload{Packages: change.Packages, Importcfg: extra, Renew: renewed})
		if err != nil {
			return false, err
		}
	}
	prog.Reload(change.Packages, renewed)
	return renewed, nil
}
