// Package traceback renders how a cell ended as the error that a front end
// shows: a name, one sentence, and the calls in cells with their source lines.
package traceback

import (
	"fmt"
	"path"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// Names of errors.
const (
	WorkerDied  = "WorkerDied" // of the cell in which the worker ended
	Interrupted = "Interrupted"
	Memory      = "MemoryError" // of a cell whose compiler took too much
)

// New returns an error whose traceback is its text.
func New(name, text string) *output.Error {
	return &output.Error{Name: name, Value: text, Traceback: strings.Split(text, "\n")}
}

// A Style says how calls are shown.
type Style struct {
	Source    func(cell int) (string, bool) // of cells; may be nil
	AllFrames bool                          // also calls outside of cells

	inGoroutine bool   // the calls are those of another goroutine than the cell's own
	panicText   string // of a panic in the innermost call; "" if there was none
}

// startedAt renders the statement that has started a goroutine.
func (s Style) startedAt(f control.Frame) []string {
	lines := s.Calls([]control.Frame{f})
	if len(lines) > 0 {
		lines[0] = "started at " + lines[0]
	}
	return lines
}

// Calls renders the calls in cells, with their source lines, and others if
// AllFrames is set.
func (s Style) Calls(frames []control.Frame) []string {
	var lines []string
	for i, f := range frames {
		n, ok := CellOf(f.File)
		if !ok {
			if s.AllFrames && f.File != "" {
				dir, file := path.Split(f.File)
				lines = append(lines, fmt.Sprintf("%s line %d, in %s", path.Join(path.Base(dir), file), f.Line, f.Func))
			}
			continue
		}
		name := frameName(f.Func)
		if s.inGoroutine && name == statementsName {
			name = "a function literal"
		}
		lines = append(lines, fmt.Sprintf("%s line %d, in %s", cell.Name(n), f.Line, name))
		if s.Source == nil {
			continue
		}
		if src, ok := s.Source(n); ok {
			lines = append(lines, "    "+strings.TrimSpace(cell.Line(src, f.Line)))
			if i == firstInCells(frames) && s.panicText != "" {
				lines = append(lines, mark(src, f.Line, s.panicText)...)
			}
		}
	}
	return lines
}

// firstInCells returns the index of the innermost call in a cell.
func firstInCells(frames []control.Frame) int {
	for i, f := range frames {
		if _, ok := CellOf(f.File); ok {
			return i
		}
	}
	return -1
}

// mark returns the line below a source line that marks the expression which has
// panicked, if there is one alone that can have.
func mark(src string, line int, panicText string) []string {
	start, end, ok := cell.PanicSpan(src, line, panicText)
	if !ok {
		return nil
	}
	text := cell.Line(src, line)
	margin := len(text) - len(strings.TrimLeft(text, " \t"))
	return []string{"    " + cell.Mark(text[margin:], start-margin, end-margin)}
}

// CellOf reads the number of a cell out of a file name of the line table.
func CellOf(file string) (int, bool) {
	i := strings.LastIndex(file, "Cell [")
	if i < 0 {
		return 0, false
	}
	var n int
	_, err := fmt.Sscanf(file[i:], "Cell [%d]", &n)
	return n, err == nil
}

// statementsName stands for the statements of a cell, and for function literals in
// them.
const statementsName = "the cell"

// frameName is a function's name as the user wrote it. The
// statements of cell 3 are main.cell.3 in the worker, and main.cellʹ3 in a
// program that the toolchain's linker has linked.
func frameName(name string) string {
	name = strings.Replace(strings.TrimPrefix(name, "main."), "cellʹ", "cell.", 1)
	if number, ok := strings.CutPrefix(name, "cell."); ok && number != "" && number[0] >= '0' && number[0] <= '9' {
		return statementsName
	}
	return mangle.Demangle(name)
}
