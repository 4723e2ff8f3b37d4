// Package instancedecls rewrites a unit so that it refers to instances of generic code by declarations without type parameters.
//
// The thin form of a package declares the common instances of its generic types and functions; see package image/thin. For such a
// declaration the compiler generates nothing, while for the instance itself it compiles all methods and
// descriptors, which the worker process has already. A unit is rewritten if all instances of thin packages that it mentions are declared: the
// compiler would take an instance and its declaration for two types.
package instancedecls

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/inlining"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

// Instances tells which instances are declared.
type Instances interface {
	// IsThin is that of inlining.Worker.
	IsThin(path string) bool
	// Declared returns the thin package that declares an instance, and the name of the declaration, given the package of the instance and the instance's
	// name in symbols. It returns false if there is no declaration.
	Declared(path, linkName string) (in, identifier string, ok bool)
}

// Unit returns the unit u in the form that refers to instances by their declarations, or nil if u mentions no instance of a thin package, or an instance that is
// not declared. files are the files of u, and r is the result of checking them. all is an Instances; if it has another type, Unit returns nil.
func Unit(u compiler.Unit, files []*emit.File, r *check.Result, all any) *compiler.Unit {
	instances, ok := all.(Instances)
	if !ok || len(files) != len(r.Files) { // a file that was written after the check
		return nil
	}
	w := rewriter{instances: instances, r: r, imports: u.Imports, names: maps.Clone(u.Names), found: map[*ast.Ident]declaration{}}
	if !w.find() {
		return nil
	}
	u.Files = slices.Clone(u.Files)
	for i, f := range files {
		text, ok := f.TextWith(w.replacements(r.Files[i]))
		if !ok {
			return nil
		}
		u.Files[i].Text = text
	}
	if len(w.found) > 0 { // an instance in a form that replacements does not know
		return nil
	}
	u.Names = w.names
	return &u
}

// A declaration is the declaration of an instance.
type declaration struct {
	path, name string // of the declaration
	isForeign  bool   // the instance is one of another package
}

// A rewriter rewrites the mentions of instances.
type rewriter struct {
	instances Instances
	r         *check.Result
	imports   []string // packages that the unit imports
	names     reducedexports.Names
	found     map[*ast.Ident]declaration // the instances that are not yet rewritten
}

// find sets found and names. It returns false if there is no declared instance of a thin package, or one that is not declared.
func (w *rewriter) find() (any bool) {
	for id, in := range w.r.Info.Instances {
		obj := w.r.Info.Uses[id]
		if obj == nil || obj.Pkg() == nil || obj.Pkg() == w.r.Pkg {
			continue
		}
		path, isThin := obj.Pkg().Path(), w.instances.IsThin(obj.Pkg().Path())
		name, ok := inlining.InstanceName(obj.Name(), in.TypeArgs)
		d := declaration{isForeign: !isThin}
		if ok {
			d.path, d.name, ok = w.instances.Declared(path, name)
		}
		switch {
		case isThin && !ok:
			return false
		case !ok || d.isForeign && !slices.Contains(w.imports, d.path):
			continue
		}
		w.found[id] = d
		w.rename(path, obj, d)
		any = any || isThin
	}
	return any
}

// rename replaces the name of a generic object by that of a declaration in the names that the unit uses.
func (w *rewriter) rename(path string, generic types.Object, d declaration) {
	if !d.isForeign { // the unit may need others of a foreign function
		w.names[path] = slices.DeleteFunc(slices.Clone(w.names[path]), func(name string) bool { return name == generic.Name() })
	}
	if !slices.Contains(w.names[d.path], d.name) {
		w.names[d.path] = append(slices.Clone(w.names[d.path]), d.name)
	}
}

// local is the name under which a file imports the package with declarations of functions of other packages. No cell can use the name.
const local = "declared" + mangle.Mark + "p"

// replacements returns the changes of a file.
func (w *rewriter) replacements(file *ast.File) []emit.Replacement {
	var list []emit.Replacement
	replace := func(from, to token.Pos, text string) {
		f := w.r.Fset.File(file.FileStart)
		list = append(list, emit.Replacement{Start: f.Offset(from), End: f.Offset(to), Text: text})
	}
	uses := map[types.Object]int{} // how often the file still names packages that it names in expressions which are replaced
	foreign := ""                  // the package that declares foreign instances
	ast.Inspect(file, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		name, pkg := nameOf(x)
		d, ok := w.found[name]
		switch {
		case !ok:
			if id, ok := x.(*ast.Ident); ok {
				uses[w.r.Info.Uses[id]]++
			}
			return true
		case !d.isForeign:
			if pkg != nil {
				uses[w.r.Info.Uses[pkg]]++
			}
			replace(name.Pos(), x.End(), d.name)
		case pkg == nil:
			return true // the package is imported with a dot
		default:
			foreign = d.path
			replace(pkg.Pos(), x.End(), local+"."+d.name)
		}
		w.take(x, uses)
		return false
	})
	for _, spec := range file.Imports {
		if n, ok := uses[w.r.Info.Defs[spec.Name]]; spec.Name != nil && ok && n == 0 {
			replace(spec.Name.Pos(), spec.Name.End(), "_")
		}
	}
	if foreign != "" {
		replace(file.Imports[0].Pos()-token.Pos(len("import ")), file.Imports[0].Pos(), fmt.Sprintf("import %s %q; import ", local, foreign))
	}
	slices.SortFunc(list, func(a, b emit.Replacement) int { return cmp.Compare(a.Start, b.Start) })
	return list
}

// take removes the instances in x from found, and adds the packages that x names to uses.
func (w *rewriter) take(x ast.Expr, uses map[types.Object]int) {
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			delete(w.found, id)
			uses[w.r.Info.Uses[id]] += 0
		}
		return true
	})
}

// nameOf returns the name of a generic type or function, given an expression of the form Name, Name[T] or pkg.Name[T], and the name of the package, or nil.
func nameOf(x ast.Expr) (name, pkg *ast.Ident) {
	switch i := x.(type) {
	case *ast.IndexExpr:
		x = i.X
	case *ast.IndexListExpr:
		x = i.X
	}
	switch x := x.(type) {
	case *ast.Ident:
		return x, nil
	case *ast.SelectorExpr:
		pkg, _ = x.X.(*ast.Ident)
		return x.Sel, pkg
	}
	return nil, nil
}
