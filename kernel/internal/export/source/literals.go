package source

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A Literal is a function literal in a declaration or statement. Offsets are relative to the source of that declaration or statement.
type Literal struct {
	cell.Span
	Params         int  // offset of the end of the parameters
	Lbrace, Rbrace int  // offsets of the braces of the body
	Once           bool // the literal is called where it is written, also by go or defer
	Result         bool // the literal has results
	Labels         bool // the body has labels
}

// noteLiterals collects the function literals of a file.
func (f *Facts) noteLiterals(file *ast.File, offset func(token.Pos) int) {
	called := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called[ast.Unparen(n.Fun)] = true
		case *ast.FuncLit:
			l := Literal{
				Span: cell.Span{Start: offset(n.Pos()), End: offset(n.End())}, Params: offset(n.Type.Params.End()),
				Lbrace: offset(n.Body.Lbrace), Rbrace: offset(n.Body.Rbrace),
				Once: called[n], Result: n.Type.Results.NumFields() > 0,
			}
			ast.Inspect(n.Body, func(x ast.Node) bool {
				_, isLabel := x.(*ast.LabeledStmt)
				l.Labels = l.Labels || isLabel
				return true
			})
			f.Literals = append(f.Literals, l)
		}
		return true
	})
}

// LiteralAt returns the innermost function literal whose body contains an offset, or nil. It ignores literals whose
// Once is true.
func (f *Facts) LiteralAt(off int) *Literal {
	var found *Literal
	for i, l := range f.Literals { // outer ones come first
		if off >= l.Lbrace && off < l.End && !l.Once {
			found = &f.Literals[i]
		}
	}
	return found
}

// IsInside reports whether l is inside a literal that is called where it is written. The compiler may inline the outer literal: then, in a
// notebook, l does not get new code when a constant changes.
func (f *Facts) IsInside(l *Literal) bool {
	return slices.ContainsFunc(f.Literals, func(o Literal) bool { return o.Once && o.Start < l.Start && l.End <= o.End })
}

// Follows reports whether, in a notebook, the function literal around an offset gets new code when the constant at that offset changes. A
// literal of a statement keeps its code if it captures variables of the statement. inFunction tells that the source is a declaration.
func (f *Facts) Follows(src *cell.Source, off int, inFunction bool) bool {
	return f.LiteralAt(off) != nil && (inFunction || !Captures(src, off))
}

// Captures reports whether the offset is in a function literal that captures local variables.
func Captures(src *cell.Source, off int) bool {
	return slices.ContainsFunc(src.Outermost, func(o cell.Outermost) bool {
		return o.Captures && off >= o.Start && off < o.End
	})
}
