package notebook

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
	"strings"
)

// A declarationText has the source of a variable's value and the comment on the variable.
type declarationText struct{ value, comment string }

// describe returns the texts of the variables that the statements of body declare, by the position of the name.
func describe(fset *token.FileSet, file *ast.File, body *ast.FuncDecl) map[token.Pos]declarationText {
	d := &describer{fset: fset, comments: map[int]string{}, code: map[int]bool{}, texts: map[token.Pos]declarationText{}}
	for _, group := range file.Comments {
		first, _, _ := strings.Cut(strings.TrimSpace(group.Text()), "\n")
		d.comments[d.line(group.End())] = first
	}
	for _, statement := range body.Body.List {
		switch s := statement.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				d.add(s, identifiers(s.Lhs), s.Rhs)
			}
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					d.add(v, v.Names, v.Values)
				}
			}
		}
		d.code[d.line(statement.End())] = true
	}
	return d.texts
}

type describer struct {
	fset     *token.FileSet
	comments map[int]string // the first line of each comment, by the line where it ends
	code     map[int]bool   // lines on which a statement seen so far ends
	texts    map[token.Pos]declarationText
}

func (d *describer) line(pos token.Pos) int { return d.fset.Position(pos).Line }

func (d *describer) add(declaration ast.Node, names []*ast.Ident, values []ast.Expr) {
	comment := d.comments[d.line(declaration.End())]
	if above := d.line(declaration.Pos()) - 1; comment == "" && !d.code[above] {
		comment = d.comments[above]
	}
	d.code[d.line(declaration.End())] = true
	for i, name := range names {
		text := declarationText{comment: comment}
		if len(values) == len(names) {
			var b bytes.Buffer
			if format.Node(&b, d.fset, values[i]) == nil {
				text.value = b.String()
			}
		}
		d.texts[name.Pos()] = text
	}
}

func identifiers(exprs []ast.Expr) []*ast.Ident {
	names := make([]*ast.Ident, len(exprs))
	for i, e := range exprs {
		names[i] = e.(*ast.Ident) // the parser accepts nothing else at the left of :=
	}
	return names
}
