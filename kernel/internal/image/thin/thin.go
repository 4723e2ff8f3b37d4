// Package thin makes the source of a package without the bodies of its generic code. A package that is compiled from
// that source is a thin package.
//
// A unit that mentions an instance of a generic type compiles all methods of the instance, although the worker
// process may have their code already. If the unit is compiled against the thin package, its object refers to the
// methods by name instead. The thin package has the same names, types and functions as the complete package, so the
// worker process can link the object with the complete package.
package thin

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// leak is the name of a function whose argument escapes to the heap, in the language of the compiler's escape analysis, and pointer the
// name of its argument's type.
const leak, pointer = "thinʹleak", "thinʹpointer"

// Declarations returns the source of a file that each thin package needs in addition to the files that Source returns.
func Declarations(pkg string) []byte {
	return fmt.Appendf(nil, "package %s\n\nimport \"unsafe\"\n\ntype %s = unsafe.Pointer\n\nfunc %s(%s)\n", pkg, pointer, leak, pointer)
}

// Source returns the source of a file without the bodies of generic code; line numbers stay the same. A method of a
// generic type loses its body. The compiler assumes that all arguments of a function without a body escape. A generic
// function must have a body in Go: it gets one from which all arguments escape, and which no unit may load. Imports
// that only the removed bodies need become imports of the blank identifier. nameOf returns the name of the package
// with an import path.
func Source(name string, src []byte, nameOf func(path string) string) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var edits []edit
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil || !isGeneric(fn) {
			continue
		}
		body := edit{from: offset(fn.Body.Lbrace), to: offset(fn.Body.Rbrace) + 1}
		if fn.Recv == nil {
			body.text = escapingBody(fn)
		}
		body.text += strings.Repeat("\n", strings.Count(string(src[body.from:body.to]), "\n"))
		edits = append(edits, body)
		fn.Body = nil
	}
	used := usedPackages(file)
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		from, local := offset(spec.Path.Pos()), nameOf(path)
		if spec.Name != nil {
			from, local = offset(spec.Name.Pos()), spec.Name.Name
		}
		if local != "." && !used[local] {
			edits = append(edits, edit{from, offset(spec.Path.End()), "_ " + spec.Path.Value})
		}
	}
	return apply(src, edits), nil
}

// isGeneric reports whether a function, or the type of its receiver, has type parameters.
func isGeneric(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return fn.Type.TypeParams != nil
	}
	t := ast.Unparen(fn.Recv.List[0].Type)
	if star, ok := t.(*ast.StarExpr); ok {
		t = ast.Unparen(star.X)
	}
	switch t.(type) {
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true
	}
	return false
}

// escapingBody returns a body for fn from which all arguments escape.
func escapingBody(fn *ast.FuncDecl) string {
	var b strings.Builder
	b.WriteString("{ ")
	for _, p := range fn.Type.Params.List {
		for _, n := range p.Names {
			if n.Name != "_" {
				fmt.Fprintf(&b, "%s(%s(&%s)); ", leak, pointer, n.Name)
			}
		}
	}
	b.WriteString("panic(0) }")
	return b.String()
}

// usedPackages returns the names before the dot of all selectors of a file.
func usedPackages(file *ast.File) map[string]bool {
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	return used
}

// An edit replaces a range of a text.
type edit struct {
	from, to int
	text     string
}

func apply(src []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, src[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, src[at:]...)
}
