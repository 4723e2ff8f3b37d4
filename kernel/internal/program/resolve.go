package program

import (
	"errors"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/identity"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// declare makes symbols for the declarations of the cell.
func (b *builder) declare() {
	for _, d := range b.cell.Decls {
		b.noteOutliving(&d.Source)
		if d.Kind == cell.Var {
			owner := &symtab.Symbol{Kind: cell.Var, Origin: b.origin, Decl: d, Bindings: b.bindings}
			b.specs = append(b.specs, &emit.Spec{Source: d.Source, Var: d.Var, Names: d.Names, Owner: owner})
			for i, n := range d.Names {
				if n.Name != "_" {
					v := symtab.NewVariable(n.Name, b.origin, b.bindings, &symtab.Definition{Variable: identity.VariableOf(d.Source, d.Var, nil, i, len(d.Names)), Embed: d.Embed, Bindings: b.bindings})
					v.Pragma, v.Remote = b.linknames(n.Name)
					b.vars[n.Name] = v
				}
			}
			continue
		}
		s := &symtab.Symbol{Kind: d.Kind, Origin: b.origin, Decl: d, Bindings: b.bindings, Recv: d.Recv}
		b.decls = append(b.decls, s)
		if d.Recv == "" {
			s.Pragma, _ = b.linknames(d.Names[0].Name)
		}
		for _, n := range d.Names {
			b.declareName(s, n.Name)
		}
	}
	for i, s := range b.cell.Stmts {
		st := &emit.Stmt{Stmt: s, IsResult: i == b.cell.Result}
		b.stmts = append(b.stmts, st)
		b.noteOutliving(&s.Source)
		b.noteLocalTypes(s.Ancestors)
		for i, n := range s.Names {
			if n.Name != "_" && s.New[i] {
				v := symtab.NewVariable(n.Name, b.origin, b.bindings, &symtab.Definition{Variable: identity.VariableOf(s.Source, s.Var, s.Values, i, len(s.Names)), Embed: s.Embed != "", Bindings: b.stmtBindings})
				if s.Var != nil {
					v.Pragma, v.Remote = b.linknames(n.Name)
				}
				b.vars[n.Name] = v
			}
		}
	}
	b.declareInits()
}

// declareInits turns the init functions of a cell with statements into ordinary functions
// and adds statements that call them. The calls come after all statements if these only declare
// variables, otherwise before them: other statements run after init, as main does in Go. Package hoist moves up the
// variables that an init function needs.
func (b *builder) declareInits() {
	if len(b.stmts) == 0 {
		return
	}
	var calls []*emit.Stmt
	for _, s := range b.decls {
		if s.Kind != cell.Func || s.Key != "" || s.GoName != "init" {
			continue
		}
		s.GoName = fmt.Sprintf("init%s%d", mangle.Mark, len(calls))
		b.fresh[s.GoName] = s
		call := &cell.Stmt{Define: -1, Call: true, Role: cell.CallInit}
		call.Text, call.Pos, call.Refs = s.GoName+"()", s.Decl.Pos, []cell.Ref{{Name: s.GoName}}
		calls = append(calls, &emit.Stmt{Stmt: call})
	}
	if slices.ContainsFunc(b.stmts, func(st *emit.Stmt) bool { return st.Var == nil }) {
		b.stmts = append(calls, b.stmts...)
	} else {
		b.stmts = append(b.stmts, calls...)
	}
}

// noteOutliving collects the functions that function literals may call, and methods that are
// used as values. The code of a literal may stay in use after a function that it calls has been
// redefined, and cannot be compiled again. So this code must not hold inlined copies of bodies.
func (b *builder) noteOutliving(s *cell.Source) {
	for _, r := range s.Refs {
		if !r.Top && s.InLiteral(r.Off) {
			b.outliving[r.Name] = true
		}
	}
	for _, m := range s.Methods {
		b.outliving["."+m] = true
		b.methodValues = append(b.methodValues, "."+m)
	}
}

// noteLocalTypes records the types whose methods are promoted to types that the cell's statements declare. The wrappers
// of promoted methods of such a type cannot be compiled again, so they must not hold inlined copies of bodies.
func (b *builder) noteLocalTypes(ancestors []string) {
	for _, name := range ancestors {
		t := b.lookup(name)
		if t == nil || t.Kind != cell.Type || b.promoting[name] {
			continue
		}
		b.promoting[name] = true
		for _, m := range b.methods[name] {
			b.outliving["."+m.GoName] = true
		}
		for _, m := range b.table.Methods[name] {
			b.outliving["."+m.GoName] = true
		}
		b.noteLocalTypes(t.Decl.Ancestors)
	}
}

// noteKeptMethods adds a notice about types that statements declare: they keep their promoted methods although the cell changes
// these.
func (b *builder) noteKeptMethods() {
	changed := map[string]bool{}
	for _, s := range b.declared() {
		old := b.table.Names[s.Key]
		if s.Recv != "" && (old == nil || old.CallerFingerprint() != s.CallerFingerprint() || old.Decl.PtrRecv != s.Decl.PtrRecv) {
			changed[s.Recv] = true
		}
	}
	for _, m := range b.table.RemovedMethods {
		changed[m.Recv] = true
	}
	var cells []string
	for h := range b.table.LiteralHolders {
		if slices.ContainsFunc(h.Promoting, func(name string) bool { return changed[name] }) {
			cells = append(cells, cell.Name(h.Origin.Cell))
		}
	}
	if len(cells) > 0 {
		b.notice("types that statements of %s declare keep their older methods", listed(cells))
	}
}

// mayOutlive reports whether function literals of the unit may call s.
func (b *builder) mayOutlive(s *symtab.Symbol) bool {
	if s.Recv != "" {
		return b.outliving["."+s.GoName] || b.table.MethodValues["."+s.GoName]
	}
	return b.outliving[s.Key]
}

func (b *builder) declareName(s *symtab.Symbol, name string) {
	switch {
	case s.Recv != "":
		s.Key, s.GoName = s.Recv+"."+name, name
		if name != "_" {
			b.methods[s.Recv] = append(b.methods[s.Recv], s)
			b.fresh[s.Key] = s
		}
	case name == "_" || s.Kind == cell.Func && name == "init":
		if s.GoName == "" {
			s.GoName = name
		}
	default:
		if s.Key == "" {
			s.Key, s.GoName = name, mangle.Name(name)
			if s.Kind == cell.Func {
				s.GoName = mangle.Func(name)
			}
		}
		b.fresh[name] = s
	}
}

// resolve finds the meaning of each free name of the cell.
func (b *builder) resolve() cell.Errors {
	if errs := b.resolveImports(); len(errs) > 0 {
		return errs
	}
	sels := map[string][]string{}
	for _, d := range b.cell.Decls {
		gather(sels, d.Refs)
	}
	for _, s := range b.cell.Stmts {
		gather(sels, s.Refs)
	}
	for name, sel := range sels {
		b.stmtBindings[name] = b.bind(name, sel)
		b.bindings[name] = b.stmtBindings[name]
		if b.vars[name] != nil && b.imports[name] == "" {
			b.bindings[name] = symtab.Binding{Kind: symtab.InNotebook}
		}
	}
	return b.clashes()
}

// gather adds to sels, for each free name, the names that are selected from it.
func gather(sels map[string][]string, refs []cell.Ref) {
	for _, r := range refs {
		if !r.Top {
			sels[r.Name] = append(sels[r.Name], r.Sel)
		}
	}
}

// clashes returns errors for names that both a statement and a declaration of the cell
// define.
func (b *builder) clashes() cell.Errors {
	var errs cell.Errors
	for _, st := range b.stmts {
		for i, n := range st.Names {
			if st.New[i] && b.fresh[n.Name] != nil {
				at := st.Source.PosIn(n.Off)
				errs = append(errs, &cell.Error{Cell: b.cell.N, Pos: at, Msg: n.Name + " redeclared in this cell", Source: cell.Line(b.cell.Src, at.Line)})
			}
		}
	}
	return errs
}

var errCgo = errors.New(`import "C" cannot be used in a cell: put the C code into a separate package and import that package`)

func (b *builder) resolveImports() cell.Errors {
	var errs cell.Errors
	for _, im := range b.cell.Imports {
		fail := func(err error) {
			if b.p.isSnapshot { // a query checks the rest of the text
				return
			}
			errs = append(errs, &cell.Error{Cell: b.cell.N, Pos: im.Pos, Msg: err.Error(), Source: cell.Line(b.cell.Src, im.Pos.Line)})
		}
		if im.Path == "C" {
			fail(errCgo)
			continue
		}
		pkg, err := b.p.pkgs.Import(im.Path)
		if err != nil {
			fail(err)
			continue
		}
		if !strings.Contains(im.Name, mangle.Mark) && !b.mayImport(im.Path) { // generated cells of the kernel may import them
			fail(fmt.Errorf("use of internal package %s not allowed", im.Path))
			continue
		}
		b.importPos[im.Path] = im.Pos
		switch im.Name {
		case "_":
			b.blanks = append(b.blanks, im.Path)
		case ".":
			b.dots = append(b.dots, im.Path)
		case "":
			b.imports[pkg.Name()] = im.Path
		default:
			b.imports[im.Name] = im.Path
		}
	}
	return errs
}

// mayImport applies the go command's rule for internal packages: only code in the parent folder of internal may import them.
func (b *builder) mayImport(path string) bool {
	if !strings.Contains("/"+path+"/", "/internal/") && !strings.HasPrefix(path, "vendor/") || b.p.isSnapshot {
		return true
	}
	im, ok := b.p.cfg.Importer.(interface{ Beside(path string) bool })
	return ok && im.Beside(path)
}

// bind returns the meaning of a name in a statement. It takes the first of: the cell's declarations, its imports, the
// notebook's imports and declarations, dot imports, predeclared names, declarations that are set aside or lost, ctx, Out and
// In, and packages of the standard library, which need no import.
func (b *builder) bind(name string, sels []string) symtab.Binding {
	if name == cell.FlagPackage {
		return symtab.Binding{Kind: symtab.Imported, Path: flagPath}
	}
	if b.fresh[name] != nil || len(b.specs) > 0 && b.vars[name] != nil {
		return symtab.Binding{Kind: symtab.InNotebook}
	}
	if path, ok := b.imports[name]; ok {
		return symtab.Binding{Kind: symtab.Imported, Path: path}
	}
	if path, ok := b.table.Imports[name]; ok {
		return symtab.Binding{Kind: symtab.Imported, Path: path}
	}
	if b.table.Names[name] != nil {
		return symtab.Binding{Kind: symtab.InNotebook}
	}
	for _, path := range append(b.dots[:len(b.dots):len(b.dots)], b.table.DotImports...) {
		if pkg, err := b.p.pkgs.Import(path); err == nil && exportdata.Exports(pkg, name) {
			return symtab.Binding{Kind: symtab.DotImported, Path: path}
		}
	}
	if types.Universe.Lookup(name) != nil {
		return symtab.Binding{Kind: symtab.Universe}
	}
	if b.table.Aside[name] != nil {
		return symtab.Binding{Kind: symtab.InNotebook}
	}
	if _, lost := b.table.Lost[name]; lost {
		return symtab.Binding{Kind: symtab.InNotebook}
	}
	if bd, ok := b.table.Provided(name); ok {
		return bd
	}
	var selected []string
	for _, s := range sels {
		if s != "" {
			selected = append(selected, s)
		}
	}
	if len(selected) > 0 {
		if path := b.p.pkgs.ByName(name, selected); path != "" {
			return symtab.Binding{Kind: symtab.Imported, Path: path}
		}
		b.unbound[name] = selected
	}
	return symtab.Binding{Kind: symtab.InNotebook}
}

// lookup returns the symbol that a name means in the cell's declarations, and in the notebook after the cell.
func (b *builder) lookup(name string) *symtab.Symbol {
	if s := b.vars[name]; s != nil {
		return s
	}
	return b.lookupBefore(name)
}

// lookupBefore returns the symbol that a name means in a statement before the cell's
// statements define it.
func (b *builder) lookupBefore(name string) *symtab.Symbol {
	if s := b.fresh[name]; s != nil {
		return s
	}
	s := b.table.Names[name]
	if s == nil {
		return b.returningByName[name]
	}
	if _, gone := b.broken[s]; gone {
		return nil
	}
	if r := b.recompiled[s]; r != nil {
		return r
	}
	return s
}

// listed returns the first three places, sorted, and the number of the others as text.
func listed(places []string) string {
	const most = 3
	slices.Sort(places)
	text := strings.Join(places[:min(len(places), most)], ", ")
	if n := len(places) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
