// Package traceback renders the outcome of a cell as an error for front ends, with a name, one
// sentence, and the calls in cells with their source lines.
package traceback

import (
	"fmt"
	"path"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Names of errors.
const (
	WorkerDied  = "WorkerDied" // the worker process ended while the cell ran
	Interrupted = "Interrupted"
	Memory      = "MemoryError" // the cell's compiler took too much memory
)

// New returns an error whose traceback is its text.
func New(name, text string) *output.Error {
	return &output.Error{Name: name, Value: text, Traceback: strings.Split(text, "\n")}
}

// A Style configures how calls are shown.
type Style struct {
	Source    func(cell int) (string, bool) // returns the source of a cell; may be nil
	AllFrames bool                          // also show calls outside of cells

	inGoroutine bool   // the calls are of a goroutine other than the cell's own
	panicText   string // text of a panic in the innermost call; "" if there was none
}

// InGoroutine returns the Style for the calls of a goroutine other than the cell's own.
func (s Style) InGoroutine() Style {
	s.inGoroutine = true
	return s
}

// startedAt returns lines about the statement that has started a goroutine.
func (s Style) startedAt(f control.Frame) []string {
	lines := s.Calls([]control.Frame{f})
	if len(lines) > 0 {
		lines[0] = "started at " + lines[0]
	}
	return lines
}

// Calls returns lines about the calls in cells, with their source lines. If AllFrames is true, the lines describe
// other calls, too.
func (s Style) Calls(frames []control.Frame) []string {
	var lines []string
	frames = withoutWrappers(frames)
	for i, f := range frames {
		n, ok := cellNumber(f.File)
		if ok && n == 0 {
			continue
		}
		if !ok {
			if s.AllFrames && f.File != "" {
				dir, file := path.Split(f.File)
				lines = append(lines, fmt.Sprintf("%s line %d, in %s", path.Join(path.Base(dir), file), f.Line, f.Func))
			}
			continue
		}
		name := frameName(f.Func)
		if s.inGoroutine && name == statementsName && isBelowStatements(f.Func) {
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

// withoutWrappers returns the frames without functions that the compiler generates for go and defer statements and
// that call a function of a cell. If the compiler inlines that function, there are no such frames.
func withoutWrappers(frames []control.Frame) []control.Frame {
	var out []control.Frame
	for i, f := range frames {
		if i > 0 && symname.IsCallWrapper(f.Func) {
			if _, ok := CellOf(frames[i-1].File); ok {
				continue
			}
		}
		out = append(out, f)
	}
	return out
}

// firstInCells returns the index of the innermost call in a cell, or -1.
func firstInCells(frames []control.Frame) int {
	for i, f := range frames {
		if _, ok := CellOf(f.File); ok {
			return i
		}
	}
	return -1
}

// mark returns a line to show below a source line, which marks the expression that has
// panicked. It returns nil unless exactly one expression can have panicked.
func mark(src string, line int, panicText string) []string {
	start, end, ok := cell.PanicSpan(src, line, panicText)
	if !ok {
		return nil
	}
	text := cell.Line(src, line)
	margin := len(text) - len(strings.TrimLeft(text, " \t"))
	return []string{"    " + cell.Mark(text[margin:], start-margin, end-margin)}
}

// CellOf returns the number of a cell from a file name in the line table. It returns false for generated code, such
// as the code of %test.
func CellOf(file string) (int, bool) {
	n, ok := cellNumber(file)
	return n, ok && n > 0
}

// cellNumber returns the number of a cell from a file name. Generated code has the number 0.
func cellNumber(file string) (int, bool) {
	i := strings.LastIndex(file, "Cell [")
	if i < 0 {
		return 0, false
	}
	var n int
	_, err := fmt.Sscanf(file[i:], "Cell [%d]", &n)
	return n, err == nil
}

// statementsName is shown as the function name of a cell's statements, and of function
// literals in them.
const statementsName = "the cell"

// isBelowStatements reports whether a function for which frameName returns "the cell" is a function literal in the
// cell's statements.
func isBelowStatements(name string) bool {
	_, number, _ := strings.Cut(strings.Replace(name, "cellʹ", "cell.", 1), "cell.")
	return strings.Contains(number, ".")
}

// frameName returns a function's name as the user wrote it. The
// statements of cell 3 are main.cell.3 in the worker process, and main.cellʹ3 in a program that the toolchain's linker
// has linked.
func frameName(name string) string {
	name = strings.Replace(strings.TrimPrefix(name, "main."), "cellʹ", "cell.", 1)
	if number, ok := strings.CutPrefix(name, "cell."); ok && number != "" && number[0] >= '0' && number[0] <= '9' {
		return statementsName
	}
	return mangle.Demangle(name)
}
