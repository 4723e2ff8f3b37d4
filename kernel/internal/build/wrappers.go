package build

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// The compiler makes wrappers of methods, which may hold a copy of the method's
// body: for method values, and for types that embed the receiver's. When a
// method is compiled again, the unit must lead the compiler to make them again.

// redone lists the older methods that the unit compiles again, those among
// extra and those that the cell redefines.
func (b *builder) redone(extra []*symbol) []*symbol {
	var out []*symbol
	for _, s := range append(b.decls[:len(b.decls):len(b.decls)], extra...) {
		if s.kind == cell.Func && s.recv != "" && s.key != "" && b.p.names[s.key] != nil && b.lookup(s.key) == s {
			out = append(out, s)
		}
	}
	return out
}

// embedders adds the types that embed a type, themselves or through others.
func (r *reacher) embedders(name string) {
	for user := range r.b.p.users[name] {
		s := r.b.lookup(user.key)
		if user.kind != cell.Type || s == nil || s.kind != cell.Type || r.embedding[s.key] || !s.embeds(name) {
			continue
		}
		r.embedding[s.key] = true
		r.add(s)
		r.embedders(s.key)
	}
}

// embeds reports whether a type has the promoted methods of another.
func (s *symbol) embeds(name string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p; type "+s.decl.Text, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			found = found || baseName(n.Type) == name // a struct's methods come along
		case *ast.Field:
			found = found || len(n.Names) == 0 && baseName(n.Type) == name
		}
		return !found
	})
	return found
}

func baseName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.StarExpr:
		return baseName(x.X)
	case *ast.ParenExpr:
		return baseName(x.X)
	case *ast.IndexExpr:
		return baseName(x.X)
	case *ast.IndexListExpr:
		return baseName(x.X)
	}
	return ""
}

// methodValues writes a function, never called, that takes the values of
// methods.
func (e *emitter) methodValues(methods []*symbol) {
	n := 0
	for _, s := range methods {
		t := e.b.lookup(s.recv)
		if s.decl.Generic || t == nil || s.ename == "_" {
			continue
		}
		f := e.varFile()
		if n == 0 {
			fmt.Fprintf(&f.body, "\nfunc methodvalues%s() {\n", mangleMark)
		}
		n++
		fmt.Fprintf(&f.body, "_ = (*%s)(nil).%s\n", e.b.nameIn(t, s.recv), s.ename)
	}
	if n > 0 {
		e.vars.body.WriteString("}\n")
	}
}
