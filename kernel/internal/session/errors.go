package session

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

func failure(name, value string) *output.Error {
	return &output.Error{Name: name, Value: value, Traceback: strings.Split(value, "\n")}
}

// linkError renders the linker's refusal of a cell, with the line of the cell that asks for what is missing.
func (s *Session) linkError(e *loadError) *output.Error {
	failed := failure("LinkError", e.Error())
	if e.at != nil {
		v := s.view()
		v.source = func(n int) (string, bool) { return e.cell.Src, n == e.cell.N } // which the program does not know yet
		failed.Traceback = append(failed.Traceback, v.calls([]control.Frame{*e.at})...)
	}
	return failed
}

// importLine is where a cell imports a package, or nil.
func importLine(c *cell.Cell, path string) *control.Frame {
	for _, im := range c.Imports {
		if im.Path == path {
			return &control.Frame{Func: fmt.Sprintf("cell.%d", c.N), File: cell.Name(c.N), Line: im.Pos.Line}
		}
	}
	return nil
}

// buildError turns what Build returned into the cell's error.
func buildError(err error) *output.Error {
	var errs cell.Errors
	if errors.As(err, &errs) && len(errs) > 0 {
		value := errs[0].Error()
		if len(errs) > 1 {
			value += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		return &output.Error{Name: "CompileError", Value: value, Traceback: strings.Split(errs.Render(), "\n")}
	}
	return failure("BuildError", err.Error())
}

// outcomeError turns the way a cell ended into its error, or nil.
func (s *Session) outcomeError(o *control.Outcome) *output.Error {
	switch o.How {
	case control.Returned:
		return nil
	case control.Exited:
		if o.Code == 0 {
			return nil
		}
		return failure("Exit", fmt.Sprintf("exit status %d", o.Code))
	case control.Goexit:
		return nil
	case control.Interrupted:
		return interruptedError(o, s.view())
	case control.Deadlocked:
		return deadlockError(o, s.view())
	}
	return panicError(o, s.view())
}

// interruptedError says where a cell that could not be stopped is stuck, and
// what it has started goes on.
func interruptedError(o *control.Outcome, v view) *output.Error {
	value := "the cell was interrupted"
	var lines []string
	if g := o.Stuck; g != nil {
		switch g.State {
		case "running", "runnable":
			value += "; it is inside one long call and was left behind: it is stopped when that comes back to code of a cell, and its deferred functions run then"
		default:
			value += "; it is blocked (" + g.State + ") and was left behind: its deferred functions have not run; if something wakes it, it is stopped and they run"
		}
		lines = v.calls(g.Frames)
	}
	return &output.Error{Name: "Interrupted", Value: value, Traceback: append(append([]string{value}, lines...), goingOn(o, v)...)}
}

// goingOn lists goroutines that a cell has started and nobody has stopped.
func goingOn(o *control.Outcome, v view) []string {
	if o.Count == 0 {
		return nil
	}
	first := "1 goroutine that it started goes on:"
	if o.Count > 1 {
		first = fmt.Sprintf("%d goroutines that it started go on:", o.Count)
	}
	return append([]string{first}, goroutineLines(o.Goroutines, o.Count, v)...)
}

// goroutineLines describes goroutines, those at the same place once.
func goroutineLines(list []control.Goroutine, count int, v view) []string {
	var lines, order []string
	times := map[string]int{}
	for _, g := range list {
		calls := v.calls(g.Frames)
		if len(calls) == 0 && g.Created != nil {
			calls = v.calls([]control.Frame{*g.Created})
			if len(calls) > 0 {
				calls[0] = "started at " + calls[0]
			}
		}
		if len(calls) == 0 {
			continue
		}
		text := g.State + ": " + strings.Join(calls, "\n")
		if times[text]++; times[text] == 1 {
			order = append(order, text)
		}
	}
	slices.Sort(order)
	for _, text := range order {
		if n := times[text]; n > 1 {
			text = fmt.Sprintf("%d × %s", n, text)
		}
		lines = append(lines, strings.Split(text, "\n")...)
	}
	if n := count - len(list); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return lines
}

// deadlockError lists where a cell, and all that could wake it, is blocked.
func deadlockError(o *control.Outcome, v view) *output.Error {
	const value = "all goroutines are blocked, and no timer, file or connection can wake one"
	lines := []string{"deadlock: " + value}
	if len(o.Goroutines) > 0 {
		lines = append(lines, goroutineLines(o.Goroutines[:1], 1, v)...)
		lines = append(lines, goroutineLines(o.Goroutines[1:], o.Count, v)...)
	}
	return &output.Error{Name: "Deadlock", Value: value, Traceback: append(lines, "variables are kept; the cell was left behind and ends if another wakes it")}
}

// panicError renders a panic: what it was about, then the calls that led to
// it, in lines of cells. Frames outside of cells are left out, but for those
// without any cell at all.
func panicError(o *control.Outcome, v view) *output.Error {
	value := o.Value
	if o.Goroutine != "" {
		value += ", in " + panicked(o)
		v.inGoroutine = true
	}
	lines := append([]string{"panic: " + value}, v.calls(o.Frames)...)
	v.inGoroutine = false
	if o.Started != nil {
		lines = append(lines, v.startedAt(*o.Started)...)
	}
	if o.Stuck != nil {
		lines = append(lines, "the cell's own goroutine is blocked ("+o.Stuck.State+") and was left behind; if something wakes it, it is stopped")
		lines = append(lines, v.calls(o.Stuck.Frames)...)
	}
	return &output.Error{Name: "panic", Value: value, Traceback: lines}
}

// panicked names the goroutine that has panicked by where it was started.
func panicked(o *control.Outcome) string {
	what := map[string]string{"timer": "the timer", "finalizer": "a finalizer", "cleanup": "a cleanup function"}[o.Goroutine]
	if what == "" {
		what = "the goroutine"
	}
	if o.Started == nil {
		return what
	}
	if n, ok := cellOf(o.Started.File); ok {
		return fmt.Sprintf("%s started at %s line %d", what, cell.Name(n), o.Started.Line)
	}
	what += " started by " + o.Started.Func
	if o.Runs != nil {
		if n, ok := cellOf(o.Runs.File); ok {
			what += fmt.Sprintf(", which runs the function at %s line %d", cell.Name(n), o.Runs.Line)
		}
	}
	return what
}

// startedAt renders the statement that has started a goroutine.
func (v view) startedAt(f control.Frame) []string {
	lines := v.calls([]control.Frame{f})
	if len(lines) > 0 {
		lines[0] = "started at " + lines[0]
	}
	return lines
}

// A view is how calls are shown.
type view struct {
	source func(cell int) (string, bool) // of cells; may be nil
	all    bool                          // also calls outside of cells

	inGoroutine bool // the calls are those of another goroutine than the cell's own
}

func (s *Session) view() view { return view{source: s.program.Load().Source, all: s.allFrames.Load()} }

// calls renders calls in cells, with their source lines, and others if those
// are wanted.
func (v view) calls(frames []control.Frame) []string {
	var lines []string
	for _, f := range frames {
		n, ok := cellOf(f.File)
		if !ok {
			if v.all && f.File != "" {
				dir, file := path.Split(f.File)
				lines = append(lines, fmt.Sprintf("%s line %d, in %s", path.Join(path.Base(dir), file), f.Line, f.Func))
			}
			continue
		}
		name := frameName(f.Func)
		if v.inGoroutine && name == ownName {
			name = "a function literal"
		}
		lines = append(lines, fmt.Sprintf("%s line %d, in %s", cell.Name(n), f.Line, name))
		if v.source == nil {
			continue
		}
		if src, ok := v.source(n); ok {
			lines = append(lines, "    "+strings.TrimSpace(cell.Line(src, f.Line)))
		}
	}
	return lines
}

// cellOf reads the number of a cell out of a file name of the line table.
func cellOf(file string) (int, bool) {
	i := strings.LastIndex(file, "Cell [")
	if i < 0 {
		return 0, false
	}
	var n int
	_, err := fmt.Sscanf(file[i:], "Cell [%d]", &n)
	return n, err == nil
}

// ownName stands for the statements of a cell, and for function literals in them.
const ownName = "the cell"

// frameName is a function's name as the user wrote it. The worker calls the
// statements of cell 3 main.cell.3, a program that is linked main.cellʹ3.
func frameName(name string) string {
	name = strings.Replace(strings.TrimPrefix(name, "main."), "cellʹ", "cell.", 1)
	if number, ok := strings.CutPrefix(name, "cell."); ok && number != "" && number[0] >= '0' && number[0] <= '9' {
		return ownName
	}
	return mangle.Demangle(name)
}
