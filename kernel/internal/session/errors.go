package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/build"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

func failure(name, value string) *output.Error {
	return &output.Error{Name: name, Value: value, Traceback: strings.Split(value, "\n")}
}

// buildError turns what Build returned into the cell's error.
func buildError(ctx context.Context, err error) *output.Error {
	var errs cell.Errors
	switch {
	case errors.As(err, &errs) && len(errs) > 0:
		value := errs[0].Error()
		if len(errs) > 1 {
			value += fmt.Sprintf(" (and %d more)", len(errs)-1)
		}
		return &output.Error{Name: "CompileError", Value: value, Traceback: strings.Split(errs.Render(), "\n")}
	case ctx.Err() != nil:
		return failure(interrupted, "interrupted while compiling")
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
		if o.Value != "" {
			return failure(interrupted, "the cell was interrupted; it is blocked and was left behind: it will be stopped when it next runs code of a cell, and its deferred functions run then")
		}
		return failure(interrupted, "the cell was interrupted")
	}
	return panicError(o, s.program.Load().Source)
}

// panicError renders a panic: what it was about, then the calls that led to
// it, in lines of cells. Frames outside of cells are left out, but for those
// without any cell at all.
func panicError(o *control.Outcome, source func(int) (string, bool)) *output.Error {
	lines := append([]string{"panic: " + o.Value}, callLines(o.Frames, source)...)
	return &output.Error{Name: "panic", Value: o.Value, Traceback: lines}
}

// callLines renders the calls in cells, with their source lines.
func callLines(frames []control.Frame, source func(int) (string, bool)) []string {
	var lines []string
	for _, f := range frames {
		n, ok := cellOf(f.File)
		if !ok {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s line %d, in %s", cell.Name(n), f.Line, frameName(f.Func)))
		if source == nil {
			continue
		}
		if src, ok := source(n); ok {
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

// frameName is a function's name as the user wrote it.
func frameName(name string) string {
	name = build.Demangle(strings.TrimPrefix(name, "main."))
	if strings.HasPrefix(name, "cell") {
		return "the cell"
	}
	return name
}
