package query

import (
	"cmp"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program"
)

// A Candidate is a name that can stand at a cursor.
type Candidate struct {
	Name, Kind, Signature string // Kind as Jupyter names it: "function", "variable", …

	rank int // candidates of a lower one come first
}

// Ranks of what can be written at a cursor: what the notebook has before what Go has.
const (
	rankOwn = iota
	rankImported
	rankGo
	rankPackage // of those that need no import
)

// cursorName marks the cursor in text that is checked for completion.
const cursorName = "perijoveCursor"

// Complete lists what can stand at a cursor, a byte offset into src, and the
// range that a candidate replaces. Text that cannot be parsed has none.
func Complete(p *program.Program, src string, cursor int) (list []Candidate, start, end int) {
	q := newQuery(p)
	if start, end, ok := importPath(src, cursor); ok {
		return q.importPaths(src[start:cursor]), start, end
	}
	start, end = wordAt(src, cursor)
	prefix := src[start:cursor]
	r := q.check(src[:start]+cursorName+src[end:], start)
	if r == nil {
		return nil, cursor, cursor
	}
	id, sel := findIdent(r, func(id *ast.Ident) bool { return id.Name == cursorName })
	switch {
	case id == nil:
		return nil, cursor, cursor
	case sel != nil:
		list = members(r, sel.X)
	default:
		if list = withPrefix(fields(r, id), prefix); len(list) == 0 {
			list = q.visible(r, id.Pos())
		}
	}
	list = withPrefix(list, prefix)
	slices.SortFunc(list, func(a, b Candidate) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.rank, b.rank))
	})
	list = slices.CompactFunc(list, func(a, b Candidate) bool { return a.Name == b.Name })
	slices.SortStableFunc(list, func(a, b Candidate) int { return cmp.Compare(a.rank, b.rank) })
	return list, start, end
}

func withPrefix(list []Candidate, prefix string) []Candidate {
	return slices.DeleteFunc(list, func(c Candidate) bool { return !strings.HasPrefix(c.Name, prefix) })
}

// importPath returns the range of the import path around a cursor, as the
// tokens around it tell: a string behind import, or in its parentheses.
func importPath(src string, cursor int) (start, end int, ok bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	importing, group := false, false
	for {
		pos, tok, text := s.Scan()
		off := file.Offset(pos)
		if tok == token.EOF || off >= cursor {
			return 0, 0, false
		}
		switch tok {
		case token.IMPORT:
			importing, group = true, false
		case token.LPAREN:
			group = importing
		case token.RPAREN:
			importing, group = false, false
		case token.STRING:
			if importing && cursor <= off+len(text) {
				path, _, _ := strings.Cut(text[1:], "\n") // it may not be closed
				end = off + 1 + len(strings.TrimRight(path, "\"`"))
				return off + 1, end, cursor <= end
			}
		case token.IDENT, token.PERIOD:
		case token.SEMICOLON:
			importing = importing && group
		default:
			importing = false
		}
	}
}
