package instancedecls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

// packages are the sources of the packages that the units of the test import.
var packages = map[string]string{
	"context": "package context\ntype Context interface{ Err() error }\nfunc Background() Context",
	"seqs":    "package seqs\nfunc Values[S ~[]E, E any](s S) func(func(E) bool)\nfunc Sum[E any](s []E) E\nvar V int",
	"box":     "package box\ntype Box[T any] struct{ v *T }\nfunc (*Box[T]) Set(v T)\nfunc New[T any](v T) *Box[T]\nfunc Do[A any, F ~func(A)](f F)\ntype Plain struct{}",
}

// known are the instances that package box declares, by the names of their symbols.
var known = map[string]string{
	"box.Box[int]": "Box_int_", "box.New[int]": "New_int_", "seqs.Values[[]int,int]": "Values_int_",
	"box.Do[int,func(int)]": "Do_int_", "box.Do[context.Context,func(context.Context)]": "Do_context_",
}

type instances struct{}

func (instances) IsThin(path string) bool { return path == "box" }
func (instances) Declared(path, linkName string) (in, identifier string, ok bool) {
	identifier, ok = known[path+"."+linkName]
	return "box", identifier, ok
}

type importer map[string]*types.Package

func (im importer) Import(path string) (*types.Package, error) {
	if im[path] == nil {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path+".go", packages[path], 0)
		if err != nil {
			return nil, err
		}
		conf := types.Config{Importer: im, IgnoreFuncBodies: true, Error: func(error) {}}
		im[path], _ = conf.Check(path, fset, []*ast.File{file}, nil) // functions have no bodies
	}
	return im[path], nil
}

// rewrite returns the rewritten source and the names that it uses, or "" if the unit is not rewritten.
func rewrite(t *testing.T, source string) (string, reducedexports.Names) {
	t.Helper()
	r := &check.Result{Fset: token.NewFileSet(), Info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Instances: map[*ast.Ident]types.Instance{},
	}}
	file, err := parser.ParseFile(r.Fset, "unit.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	conf := types.Config{Importer: importer{}}
	if r.Pkg, err = conf.Check("main", r.Fset, []*ast.File{file}, r.Info); err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	w := rewriter{instances: instances{}, r: r, names: reducedexports.NamesOf(r.Info, r.Pkg), found: map[*ast.Ident]declaration{}}
	for _, spec := range file.Imports {
		w.imports = append(w.imports, strings.Trim(spec.Path.Value, `"`))
	}
	if !w.find() {
		return "", nil
	}
	list := w.replacements(file)
	if len(w.found) > 0 {
		return "", nil
	}
	for _, e := range slices.Backward(list) {
		source = source[:e.Start] + e.Text + source[e.End:]
	}
	return source, w.names
}

func TestRewrite(t *testing.T) {
	const header = "package main\nimport b \"box\"\n"
	for _, test := range []struct{ source, want string }{
		{header + "var x b.Box[int]", header + "var x b.Box_int_"},
		{header + "var x = []*b.Box[int]{b.New(1), b.New[int](2)}", header + "var x = []*b.Box_int_{b.New_int_(1), b.New_int_(2)}"},
		{header + "func f() { b.New(1).Set(2); _ = any(nil).(*b.Box[int]) }", header + "func f() { b.New_int_(1).Set(2); _ = any(nil).(*b.Box_int_) }"},
		{"package main\nimport . \"box\"\nvar x, y = New(1), Box[int]{}", "package main\nimport . \"box\"\nvar x, y = New_int_(1), Box_int_{}"},
		{header + "var x, y = b.New(1), b.New(\"\")", ""}, // one is not declared
		{header + "var x b.Plain", ""}, // no instance
		{header + "var x = (b.New[int])(1)", header + "var x = (b.New_int_)(1)"},
		{header + "func f[T any](v T) { b.New(v) }", ""}, // of a type parameter
		{header + "type own int\nvar x b.Box[own]", ""},  // of a type of the unit
		{header + "type own[T any] struct{ v T }\nvar x own[int]\nvar y b.Plain", ""},
		{header + "var x own[b.Box[int]]\ntype own[T any] struct{ v T }", header + "var x own[b.Box_int_]\ntype own[T any] struct{ v T }"},
		{
			"package main\nimport c \"context\"\nimport b \"box\"\nfunc f() { b.Do[c.Context, func(c.Context)](nil) }",
			"package main\nimport _ \"context\"\nimport b \"box\"\nfunc f() { b.Do_context_(nil) }",
		},
		{
			"package main\nimport c \"context\"\nimport b \"box\"\nfunc f() { b.Do[c.Context, func(c.Context)](nil); c.Background() }",
			"package main\nimport c \"context\"\nimport b \"box\"\nfunc f() { b.Do_context_(nil); c.Background() }",
		},
		{
			"package main\nimport s \"seqs\"\nimport b \"box\"\nvar x, y = b.New(1), s.Values([]int{1})",
			"package main\nimport declaredʹp \"box\"; import _ \"seqs\"\nimport b \"box\"\nvar x, y = b.New_int_(1), declaredʹp.Values_int_([]int{1})",
		},
		{
			"package main\nimport b \"box\"\nimport s \"seqs\"\nvar x, y, z = b.New(1), s.Values[[]int], s.Sum([]int{s.V})",
			"package main\nimport declaredʹp \"box\"; import b \"box\"\nimport s \"seqs\"\nvar x, y, z = b.New_int_(1), declaredʹp.Values_int_, s.Sum([]int{s.V})",
		},
		{"package main\nimport s \"seqs\"\nimport b \"box\"\nvar x, y = b.Plain{}, s.Values([]int{1})", ""}, // no instance of a thin package
		{
			"package main\nimport s \"seqs\"\nimport b \"box\"\nvar x, y = b.New(1), s.Values([]string{})",
			"package main\nimport s \"seqs\"\nimport b \"box\"\nvar x, y = b.New_int_(1), s.Values([]string{})",
		},
		{"package main\nimport . \"seqs\"\nimport b \"box\"\nvar x, y = b.New(1), Values([]int{})", ""},
	} {
		if got, _ := rewrite(t, test.source); got != test.want {
			t.Errorf("%s\nbecomes\n%s\nwant\n%s", test.source, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	_, got := rewrite(t, "package main\nimport s \"seqs\"\nimport b \"box\"\nvar x, y, z, p = b.New(1), s.Values([]int{s.V}), b.Box[int]{}, b.Plain{}")
	for path, names := range got {
		got[path] = slices.Sorted(slices.Values(names))
	}
	want := reducedexports.Names{"box": {"Box_int_", "New_int_", "Plain", "Values_int_"}, "seqs": {"V", "Values"}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}
