package program

import (
	"context"
	"errors"
	"go/ast"
	"os"
	"slices"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/inlining"
	"github.com/perijove/perijove/kernel/internal/program/instancedecls"
	"github.com/perijove/perijove/kernel/internal/program/instrument"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

// compile compiles the files of e and returns the path of the object file. r is the result of checking the files.
func (b *builder) compile(ctx context.Context, e *emit.Emitter, r *check.Result) (object string, err error) {
	unit := compiler.Unit{NoInlining: !b.inliningMatters(r), Names: reducedexports.NamesOf(r.Info, r.Pkg)}
	for path := range e.Paths {
		if path != "unsafe" {
			unit.Imports = append(unit.Imports, path)
		}
	}
	sort.Strings(unit.Imports)
	for _, f := range e.Files {
		unit.Files = append(unit.Files, compiler.File{Name: f.Name, Text: f.Text()})
	}
	if b.explanation != nil {
		unit.NoInlining = false // reports must show what the compiler would inline
		return "", b.p.Compiler.Explain(ctx, unit, b.explanation)
	}
	if unit.NoInlining {
		unit.Declared = instancedecls.Unit(unit, e.Files, r, b.p.cfg.Importer)
	}
	if object, err = b.compileUnit(ctx, unit); err != nil || !unit.NoInlining {
		return object, err
	}
	shared, err := inlining.SharedCode(object, inlining.WorkerOf(b.p.cfg.Importer))
	if err != nil || shared == "" {
		return object, err
	}
	os.Remove(object)
	unit.NoInlining = false
	return b.compileUnit(ctx, unit)
}

func (b *builder) compileUnit(ctx context.Context, unit compiler.Unit) (object string, err error) {
	object, err = b.p.Compiler.Compile(ctx, unit)
	var refused *compiler.Error
	if errors.As(err, &refused) {
		if errs := b.checker().CompilerErrors(refused.Output); len(errs) > 0 {
			return "", errs
		}
		return "", errors.New(mangle.Demangle(err.Error()))
	}
	return object, err
}

// inliningMatters reports whether the unit must be compiled with inlining.
func (b *builder) inliningMatters(r *check.Result) bool {
	if b.p.cfg.AlwaysInline || b.p.cfg.Standalone != "" {
		return true
	}
	once := []string{"init", emit.EntryName(b.cell.N), emit.InitialName(b.cell.N)}
	u := inlining.Unit{Files: r.Files, Info: r.Info, RunsOnce: func(fn *ast.FuncDecl) bool {
		return fn.Recv == nil && slices.Contains(once, fn.Name.Name)
	}, Worker: inlining.WorkerOf(b.p.cfg.Importer)}
	return u.Matters()
}

// instrument inserts code into the functions of a unit that lets them be
// interrupted. r is the result of checking the unit. If the files have changed
// since, because recompiled functions have got other names, instrument checks them again. It returns the result that
// describes the files as they are.
func (b *builder) instrument(e *emit.Emitter, r *check.Result) (*check.Result, error) {
	if !r.Describes(e) {
		var err error
		if r, err = b.checker().Check(e); err != nil {
			return nil, err
		}
		if len(r.Faults) > 0 {
			return nil, check.Errors(r.Faults)
		}
	}
	u := instrument.Unit{Fset: r.Fset, Info: r.Info, Pkg: r.Pkg, HasMethod: b.hasMethod}
	added := false
	for i, af := range r.Files {
		for _, in := range u.Insertions(af, r.Texts[i]) {
			e.Files[i].Insert(in.Offset, in.Text)
			added = true
		}
	}
	if added {
		f := e.Files[0]
		end := len(f.CheckedText())
		f.Insert(end, instrument.Declarations)
	}
	return r, nil
}

// hasMethod reports whether the notebook declares a method of this name.
func (b *builder) hasMethod(name string) bool {
	for _, methods := range b.table.Methods {
		for _, m := range methods {
			if m.GoName == name {
				return true
			}
		}
	}
	for _, s := range b.decls {
		if s.Kind == cell.Func && s.Recv != "" && s.GoName == name {
			return true
		}
	}
	return false
}

// Explain returns what the compiler reports about the functions, types and constants of a cell that the notebook
// still has. It compiles them with further flags and changes nothing. The error is like that of Build.
func (p *Program) Explain(ctx context.Context, c *cell.Cell, flags ...string) (*compiler.Explanation, error) {
	current := map[string]bool{}
	for _, d := range p.Declarations() {
		if d.Cell == c.N && d.Aside == "" {
			current[d.Name] = true
		}
	}
	only := *c
	only.Stmts, only.Decls, only.Result = nil, nil, -1
	for _, d := range c.Decls {
		name := d.Names[0].Name
		if d.Recv != "" {
			name = d.Recv + "." + name
		}
		if d.Kind != cell.Var && current[name] {
			only.Decls = append(only.Decls, d)
		}
	}
	p.building.Lock()
	defer p.building.Unlock()
	b := newBuilder(p, &only)
	b.explanation = &compiler.Explanation{Flags: flags}
	_, err := b.build(ctx)
	return b.explanation, err
}
