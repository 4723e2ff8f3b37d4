// Package identity computes hashes of declarations, by which a notebook and a worker program recognize functions that are
// the same in both. A hash depends on the syntax of a declaration, without comments, layout and parentheses, and on the
// packages that its names mean.
package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// A Meaning is the meaning of a free name of a declaration. If Declared is true, it is a declaration of the program.
// If Path is set, it is a package, or an exported name of a package that was imported with a dot if Dot is true.
// Otherwise the name is predeclared, or the name of a field.
type Meaning struct {
	Declared bool
	Path     string
	Dot      bool
}

// A Scope returns the meanings of the free names of a declaration.
type Scope interface {
	Meaning(r cell.Ref) Meaning
	// IsStruct reports whether a name of the program is a struct type. If so, keys in composite literals of the type
	// are fields.
	IsStruct(name string) bool
}

// Function returns the Declaration of a function, method, type or group of constants. The Declaration has no name.
func Function(d *cell.Decl, scope Scope) mpsource.Declaration {
	head := "package p\n"
	if d.Kind == cell.Type {
		head += "type "
	}
	w := newWriter(scope)
	f, err := parser.ParseFile(token.NewFileSet(), "", head+d.Text, parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 || d.Linkname {
		return mpsource.Declaration{Unknown: "cannot be compared"}
	}
	w.refs(d.Refs, len(head)+1)
	w.node(f.Decls[0])
	return w.declaration()
}

// A Variable is a variable with its declaration.
type Variable struct {
	cell.Source
	Type   cell.Span // range of the type; empty if there is no type
	Values []cell.Span
	Index  int // index of the variable among the Count variables of the declaration
	Count  int
}

// Var returns the Declaration of a variable. The Declaration has no name.
func Var(v Variable, scope Scope) mpsource.Declaration {
	w := newWriter(scope)
	w.text("var")
	spans := []cell.Span{v.Type}
	switch {
	case len(v.Values) == v.Count:
		spans = append(spans, v.Values[v.Index])
	case len(v.Values) > 0:
		spans = append(spans, v.Values...)
		w.number(v.Index)
	}
	for _, s := range spans {
		if s.Start >= s.End {
			w.text("nil")
			continue
		}
		x, err := parser.ParseExpr(v.Text[s.Start:s.End])
		if err != nil {
			return mpsource.Declaration{Unknown: "cannot be compared"}
		}
		w.refs(v.Refs, 1-s.Start)
		w.node(x)
	}
	return w.declaration()
}

// declaration returns the hash of the nodes that w has written, and the names that they use.
func (w *writer) declaration() mpsource.Declaration {
	return mpsource.Declaration{Hash: hex.EncodeToString(w.hash.Sum(nil)[:16]), Uses: slices.Sorted(maps.Keys(w.uses))}
}

func newWriter(scope Scope) *writer {
	return &writer{hash: sha256.New(), scope: scope, uses: map[string]bool{}}
}

// PackageName returns the name that the Declaration of a package has.
func PackageName(path string) string { return "package " + path }

// fields treats the keys of a struct literal as names of fields, which are not free names.
func (w *writer) fields(x *ast.CompositeLit) {
	id, ok := x.Type.(*ast.Ident)
	if !ok || !w.scope.IsStruct(id.Name) || !w.at[id.Pos()].Declared {
		return
	}
	for _, e := range x.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				delete(w.at, key.Pos())
			}
		}
	}
}

// parseType reports whether the text of a type's declaration declares a struct type.
func parseType(text string) (isStruct bool, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\ntype "+text, parser.SkipObjectResolution)
	if err != nil {
		return false, err
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if t, ok := n.(*ast.TypeSpec); ok {
			_, isStruct = t.Type.(*ast.StructType)
			return false
		}
		return true
	})
	return isStruct, nil
}
