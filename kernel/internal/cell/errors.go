package cell

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// MaxErrors is the number of errors of one cell that are kept and shown.
const MaxErrors = 10

// A Pos is a position in a cell. Lines and columns count from 1, and columns count bytes, as in Go's tools.
type Pos struct {
	Line, Col int
}

// An Error is one mistake in a cell.
type Error struct {
	Cell   int // execution count of the cell
	Pos    Pos // zero if the mistake has no position
	Msg    string
	Source string // the text of line Pos.Line
}

// Error returns the one-line form of the mistake: Cell [3] line 2:5: message.
func (e *Error) Error() string {
	if e.Pos.Line == 0 {
		return fmt.Sprintf("%s: %s", Name(e.Cell), e.Msg)
	}
	return fmt.Sprintf("%s line %d:%d: %s", Name(e.Cell), e.Pos.Line, e.Pos.Col, e.Msg)
}

// Render returns the one-line form followed by the source line and a caret under
// the column, for a fixed-width font.
func (e *Error) Render() string {
	if e.Pos.Line == 0 {
		return e.Error()
	}
	return e.Error() + "\n" + e.Source + "\n" + caret(e.Source, e.Pos.Col)
}

// Mark returns a line of blanks and carets. Below line, in a fixed-width font, the carets underline the bytes of line
// from start up to end.
func Mark(line string, start, end int) string {
	under := caret(line, start+1)
	wide := utf8.RuneCountInString(line[start:min(end, len(line))])
	return under + strings.Repeat("^", max(wide-1, 0))
}

// caret returns a caret with padding: a tab for each tab of the line and two blanks for each
// wide rune, so that the caret is under the column on any terminal.
func caret(line string, col int) string {
	end := min(max(col-1, 0), len(line))
	var b strings.Builder
	for _, r := range line[:end] {
		switch {
		case r == '\t':
			b.WriteByte('\t')
		case isWide(r):
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String() + "^"
}

func isWide(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// Errors are the mistakes that prevent the execution of one cell. Some of them may be at places in earlier cells.
type Errors []*Error

// Error returns the one-line forms, one per line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Render returns the errors with their source lines and carets.
func (es Errors) Render() string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.Render()
	}
	return strings.Join(parts, "\n")
}

// Sorted returns the errors sorted by cell, newest first, then by line and column. It keeps only the first
// error of each position, and at most MaxErrors.
func (es Errors) Sorted() Errors {
	es = slices.Clone(es)
	sort.SliceStable(es, func(i, j int) bool {
		a, b := es[i], es[j]
		if a.Cell != b.Cell {
			return a.Cell > b.Cell // the current cell before older ones
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line < b.Pos.Line
		}
		return a.Pos.Col < b.Pos.Col
	})
	var out Errors
	for _, e := range es {
		if n := len(out); n > 0 && out[n-1].Cell == e.Cell && out[n-1].Pos == e.Pos {
			continue
		}
		if len(out) < MaxErrors {
			out = append(out, e)
		}
	}
	return out
}

// Name returns the name of a cell in messages and in the line tables of its code: "Cell [3]".
func Name(n int) string { return fmt.Sprintf("Cell [%d]", n) }

// Number returns the number of the cell that has a name such as "Cell [3]". It ignores a folder before the name, and
// returns false for any other text.
func Number(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name[strings.LastIndexByte(name, '/')+1:], "Cell [")
	if !ok {
		return 0, false
	}
	n := 0
	for _, c := range strings.TrimSuffix(rest, "]") {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// Line returns line n (from 1) of a text, without the newline; "" if there is no such line.
func Line(text string, n int) string {
	for ; n > 1; n-- {
		_, rest, ok := strings.Cut(text, "\n")
		if !ok {
			return ""
		}
		text = rest
	}
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r")
}

// PosAt converts a byte offset in text to a position.
func PosAt(text string, off int) Pos {
	off = min(max(off, 0), len(text))
	before := text[:off]
	return Pos{Line: 1 + strings.Count(before, "\n"), Col: off - strings.LastIndexByte(before, '\n')}
}

func posText(p Pos) string { return fmt.Sprintf("line %d:%d", p.Line, p.Col) }
