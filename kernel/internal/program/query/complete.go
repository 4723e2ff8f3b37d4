// Package query answers queries of an editor about code: completion (complete.go) and the description of a name
// (describe.go).
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

// A Candidate is a name that can complete the text at a cursor.
type Candidate struct {
	Name, Kind, Signature string // Kind as Jupyter names it: "function", "variable", …

	rank int // candidates with a lower rank come first
}

// Ranks of candidates: names of the notebook come before those of Go.
const (
	rankOwn = iota
	rankImported
	rankGo
	rankPackage // packages that need no import
	rankImport  // packages that need an import
)

// cursorName marks the cursor in text that is checked for completion.
const cursorName = "perijoveCursor"

// Complete returns the candidates at a cursor, which is a byte offset into src, and the
// range of src that a candidate replaces. It returns none if the text cannot be parsed.
// It may be called concurrently with all methods of p.
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
		if list = members(r, sel.X); len(list) == 0 {
			list = q.unimported(r, sel.X)
		}
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

// importPath returns the range of the import path that contains the cursor: a string
// after the keyword import or in the parentheses after it.
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
				path, _, _ := strings.Cut(text[1:], "\n") // the string may be unterminated
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
