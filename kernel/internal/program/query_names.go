package program

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// members lists what can follow x and a dot.
func members(r *result, x ast.Expr) []Candidate {
	if id, ok := x.(*ast.Ident); ok {
		if pn, ok := r.info.Uses[id].(*types.PkgName); ok {
			return exported(pn.Imported())
		}
	}
	t := r.info.TypeOf(x)
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
			if f.Exported() || f.Pkg() == r.pkg {
				list = append(list, candidate(f, r.pkg))
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
		if m := ms.At(i).Obj(); m.Exported() || m.Pkg() == r.pkg {
			list = append(list, candidate(m, r.pkg))
		}
	}
	return list
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

// visible lists the names that can be written at pos.
func (p *Program) visible(r *result, pos token.Pos) []Candidate {
	var list []Candidate
	add := func(name, kind string) { list = append(list, Candidate{Name: name, Kind: kind}) }
	for s := r.pkg.Scope().Innermost(pos); s != nil; s = s.Parent() {
		for _, name := range s.Names() {
			obj := s.Lookup(name)
			local := obj.Pkg() == r.pkg && s != r.pkg.Scope()
			if local && obj.Pos() > pos || strings.ContainsAny(name, mangle.Mark) || name == cursorName {
				continue
			}
			list = append(list, candidate(obj, r.pkg))
		}
	}
	for name, s := range p.table.Names {
		if strings.Contains(name, ".") { // a method
			continue
		}
		list = append(list, Candidate{Name: name, Kind: jupyterKind(s.KindName()), Signature: s.TypeString})
	}
	if p.table.Names[contextIdent] == nil {
		list = append(list, Candidate{Name: contextIdent, Kind: "variable", Signature: "context.Context"})
	}
	for name := range p.table.Imports {
		add(name, "module")
	}
	for name := range p.pkgs.Std {
		add(name, "module")
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		add(t.String(), "keyword")
	}
	return list
}

func jupyterKind(kind string) string {
	switch kind {
	case "func", "method":
		return "function"
	case "const":
		return "constant"
	case "var":
		return "variable"
	}
	return kind
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

// fields lists the fields that can be named at id, if it is an element or a key of a literal of a struct, without
// those that are given already.
func fields(r *result, id *ast.Ident) []Candidate {
	lit := literalOf(r, id)
	if lit == nil {
		return nil
	}
	t := r.info.TypeOf(lit)
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
		if (f.Exported() || f.Pkg() == r.pkg) && !given[f.Name()] {
			list = append(list, candidate(f, r.pkg))
		}
	}
	return list
}

// literalOf returns the composite literal that id is an element or a key of.
func literalOf(r *result, id *ast.Ident) (lit *ast.CompositeLit) {
	for _, f := range r.files {
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

// paths lists the packages at hand whose import paths begin so.
func (p *Program) paths(prefix string) []Candidate {
	var all []string
	for _, list := range p.pkgs.Std {
		all = append(all, list...)
	}
	if im, ok := p.cfg.Importer.(packageLister); ok {
		list, _ := exportdata.Within(time.Until(p.pkgs.Deadline), im.Packages) // none if it is busy
		all = slices.AppendSeq(all, maps.Keys(list))
	}
	slices.Sort(all)
	var list []Candidate
	for _, path := range slices.Compact(all) {
		if strings.HasPrefix(path, prefix) && importable(path) {
			list = append(list, Candidate{Name: path, Kind: "module"})
		}
	}
	return list
}
