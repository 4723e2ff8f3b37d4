package query

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// members lists the names that can follow x and a dot.
func members(r *program.Checked, x ast.Expr) []Candidate {
	if id, ok := x.(*ast.Ident); ok {
		if pn, ok := r.Info.Uses[id].(*types.PkgName); ok {
			return exported(pn.Imported())
		}
	}
	t := r.Info.TypeOf(x)
	if t == nil || t == types.Typ[types.Invalid] {
		return nil
	}
	var list []Candidate
	seen := map[types.Type]bool{}
	var fields func(t types.Type)
	fields = func(t types.Type) {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok || seen[t] {
			return
		}
		seen[t] = true
		for f := range st.Fields() {
			if f.Exported() || f.Pkg() == r.Pkg {
				list = append(list, candidate(f, r.Pkg))
			}
			if f.Embedded() {
				fields(f.Type())
			}
		}
	}
	fields(t)
	if _, ok := t.Underlying().(*types.Pointer); !ok && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	ms := types.NewMethodSet(t)
	for i := range ms.Len() {
		if m := ms.At(i).Obj(); m.Exported() || m.Pkg() == r.Pkg {
			list = append(list, candidate(m, r.Pkg))
		}
	}
	return list
}

// unimported lists the exported names of the package that x may mean once the cell imports it. If several packages that
// can be imported have the name x, unimported takes the first in the order of import paths.
func (q query) unimported(r *program.Checked, x ast.Expr) []Candidate {
	id, ok := x.(*ast.Ident)
	if !ok || r.Info.ObjectOf(id) != nil {
		return nil
	}
	available := q.snapshot.Available()
	for _, path := range slices.Sorted(maps.Keys(available)) {
		if available[path] != id.Name || !exportdata.Importable(path) {
			continue
		}
		if pkg, err := q.packages.Import(path); err == nil {
			return exported(pkg)
		}
	}
	return nil
}

func exported(pkg *types.Package) []Candidate {
	var list []Candidate
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			list = append(list, candidate(obj, nil))
		}
	}
	return list
}

// visible lists the names that are in scope at pos, packages and keywords.
func (q query) visible(r *program.Checked, pos token.Pos) []Candidate {
	var list []Candidate
	add := func(name, kind string, rank int) { list = append(list, Candidate{Name: name, Kind: kind, rank: rank}) }
	for s := r.Pkg.Scope().Innermost(pos); s != nil; s = s.Parent() {
		for _, name := range s.Names() {
			obj := s.Lookup(name)
			local := obj.Pkg() == r.Pkg && s != r.Pkg.Scope()
			if local && obj.Pos() > pos || strings.ContainsAny(name, mangle.Mark) || name == cursorName {
				continue
			}
			c := candidate(obj, r.Pkg)
			if s == types.Universe {
				c.rank = rankGo
			}
			list = append(list, c)
		}
	}
	for name, s := range q.table.Names {
		if strings.Contains(name, ".") { // a method
			continue
		}
		list = append(list, Candidate{Name: name, Kind: s.KindWord(), Signature: s.TypeString})
	}
	if q.table.Names[symtab.ContextName] == nil {
		list = append(list, Candidate{Name: symtab.ContextName, Kind: "variable", Signature: "context.Context"})
	}
	for name := range q.table.Imports {
		add(name, "module", rankImported)
	}
	for name := range q.packages.Std {
		add(name, "module", rankPackage)
	}
	for path, name := range q.snapshot.Available() {
		if name != "" && exportdata.Importable(path) {
			list = append(list, Candidate{Name: name, Kind: "module", Signature: "import " + strconv.Quote(path), rank: rankImport})
		}
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		add(t.String(), "keyword", rankGo)
	}
	return list
}

func qualifier(main *types.Package) types.Qualifier {
	return func(q *types.Package) string {
		if q == main {
			return ""
		}
		return q.Name()
	}
}

func candidate(obj types.Object, main *types.Package) Candidate {
	c := Candidate{Name: obj.Name()}
	switch obj := obj.(type) {
	case *types.Func:
		c.Kind = "function"
	case *types.Builtin:
		c.Kind = "function"
		return c
	case *types.Const:
		c.Kind = "constant"
	case *types.TypeName:
		c.Kind = "type"
	case *types.PkgName:
		c.Kind = "module"
		return c
	case *types.Var:
		c.Kind = "variable"
		if obj.IsField() {
			c.Kind = "field"
		}
	}
	if obj.Type() != nil {
		c.Signature = mangle.Demangle(types.TypeString(obj.Type(), qualifier(main)))
	}
	return c
}

// fields lists the struct fields that can be keys at id, if it is an element or a key of a struct literal. It leaves out
// fields that the literal sets already.
func fields(r *program.Checked, id *ast.Ident) []Candidate {
	lit := literalOf(r, id)
	if lit == nil {
		return nil
	}
	t := r.Info.TypeOf(lit)
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok { // an element of a []*T, written without its type
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	given := map[string]bool{}
	for _, x := range lit.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				given[key.Name] = true
			}
		}
	}
	var list []Candidate
	for f := range st.Fields() {
		if (f.Exported() || f.Pkg() == r.Pkg) && !given[f.Name()] {
			list = append(list, candidate(f, r.Pkg))
		}
	}
	return list
}

// literalOf returns the composite literal that has id as an element or a key, or nil.
func literalOf(r *program.Checked, id *ast.Ident) (lit *ast.CompositeLit) {
	for _, f := range r.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			l, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			for _, x := range l.Elts {
				if kv, ok := x.(*ast.KeyValueExpr); ok {
					x = kv.Key
				}
				if x == ast.Expr(id) {
					lit = l
				}
			}
			return true
		})
	}
	return lit
}

// importPaths lists the packages that can be imported and whose import paths begin with prefix.
func (q query) importPaths(prefix string) []Candidate {
	var all []string
	for _, list := range q.packages.Std {
		all = append(all, list...)
	}
	all = slices.AppendSeq(all, maps.Keys(q.snapshot.Available()))
	slices.Sort(all)
	var list []Candidate
	for _, path := range slices.Compact(all) {
		if strings.HasPrefix(path, prefix) && exportdata.Importable(path) {
			list = append(list, Candidate{Name: path, Kind: "module"})
		}
	}
	return list
}
