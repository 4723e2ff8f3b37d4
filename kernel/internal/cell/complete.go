package cell

import (
	"errors"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// A Status says whether a console should run a text or ask for more lines.
type Status string

// The values of a Status, as in Jupyter's is_complete_reply.
const (
	Complete   Status = "complete"
	Incomplete Status = "incomplete"
	Invalid    Status = "invalid"
)

// IsComplete reports whether src is a complete cell. If it is incomplete, indent is
// the indentation of the next line.
func IsComplete(src string) (status Status, indent string) {
	src = strings.TrimPrefix(src, byteOrderMark)
	pieces, faults := Split(src)
	for _, f := range faults {
		if !f.Incomplete {
			return Invalid, ""
		}
	}
	if len(faults) > 0 {
		return Incomplete, indentOf(src, faults)
	}
	p := &parse{cell: &Cell{Src: src}, pieces: pieces}
	p.compose()
	_, err := parser.ParseFile(token.NewFileSet(), "", p.text.String(), parser.SkipObjectResolution)
	if err == nil {
		return Complete, ""
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return Invalid, ""
	}
	end := len(strings.TrimRight(src, " \t\r\n"))
	if off, _ := p.place(list[0].Pos.Offset, ""); off >= end {
		return Incomplete, lastIndent(src) + "\t"
	}
	return Invalid, ""
}

// indentOf returns the indentation of the next line, as gofmt writes it: one tab for each line with
// an open bracket. It returns "" inside an open string or comment.
func indentOf(src string, faults []Fault) string {
	for _, f := range faults {
		if f.Depth == 0 {
			return ""
		}
	}
	return strings.Repeat("\t", openLines(src))
}

// openLines counts the lines with a bracket that is still open at the end of src.
func openLines(src string) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var sc scanner.Scanner
	sc.Init(file, []byte(src), nil, 0)
	var open []int // line of each open bracket
	for {
		pos, kind, _ := sc.Scan()
		switch kind {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, file.Line(pos))
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case token.EOF:
			lines := map[int]bool{}
			for _, l := range open {
				lines[l] = true
			}
			return len(lines)
		}
	}
}

func lastIndent(src string) string {
	src = strings.TrimRight(src, " \t\r\n")
	line := src[strings.LastIndexByte(src, '\n')+1:]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}
