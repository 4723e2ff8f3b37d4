package program

import (
	"context"
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/hashes"
	"github.com/perijove/perijove/kernel/internal/program/hoist"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// build runs the passes in their order.
func (b *builder) build(ctx context.Context) (*Unit, error) {
	b.declare()
	b.stmts = hoist.Hoist(b.stmts, b.fresh, b.methods)
	if errs := append(b.resolve(), b.linknameErrors()...); len(errs) > 0 {
		return nil, errs.Sorted()
	}
	if b.specsHaveFollowers() || b.specsLinked() {
		return nil, errNeedsSequence
	}
	b.placeFlags()
	b.noteConstraints()
	b.retryAside()
	if err := b.shapePass(); err != nil {
		return nil, err
	}
	u := &Unit{Cell: b.cell, program: b.p}
	in, r, err := b.bodyPass()
	if err != nil {
		return nil, err
	}
	if errs := b.sharedSymbolErrors(in); len(errs) > 0 {
		return nil, errs.Sorted()
	}
	if b.dynamicInit() && hasTypeExpr(in) {
		return nil, errNeedsSequence
	}
	e := b.emitUnit(false, in)
	if r, err = b.instrument(e, r); err != nil {
		return nil, err
	}
	b.describeUnit(u, e, in)
	b.describeLiterals(u)
	u.Source = b.p.hasher.Program(hashes.Notebook{Table: b.table, Lookup: b.lookup, Fresh: b.fresh, Vars: b.vars, Methods: b.methods, Imports: b.imports, Dots: b.dots})
	u.Effects, u.Flags = b.effects, b.flags
	if len(e.Files) > 0 {
		start := time.Now()
		if u.Object, err = b.compile(ctx, e, r); err != nil {
			return nil, err
		}
		u.Timing.Compile = time.Since(start)
	}
	return u, nil
}

// errNeedsSequence reports that the cell must be built again with statements that initialize
// its variables. Package initialization cannot do that if, for example, the unit contains
// expressions that only give older variables their types: it would evaluate them.
var errNeedsSequence = errors.New("program: the cell must be built again with statements that initialize its variables in sequence")

func hasTypeExpr(in map[*symtab.Symbol]emit.Form) bool {
	for s := range in {
		if s.TypeExpr != nil {
			return true
		}
	}
	return false
}

// shapePass checks signatures and statements. It determines the types of
// variables, which of them are static, and how the value of the last expression is shown.
func (b *builder) shapePass() error {
	b.showResult()
	for {
		in := b.reach(nil)
		r, err := b.checker().Check(b.emitUnit(true, in))
		if err != nil {
			return err
		}
		entry := r.EntryDecl(emit.EntryName(b.cell.N))
		at := map[token.Pos]bool{}
		var tops []*ast.Ident
		if entry != nil {
			tops = check.TopLevelVars(entry.Body.List)
			for _, id := range tops {
				at[id.Pos()] = true
			}
		}
		var faults []check.Fault
		for _, f := range r.Faults {
			if !f.IsUnusedAt(at) && !b.isResultFault(r, entry, f) && !b.loopFault(r, entry, f) {
				faults = append(faults, f)
			}
		}
		own, foreign := b.splitFaults(faults)
		if len(own) > 0 {
			return check.Errors(own)
		}
		if len(foreign) == 0 {
			b.recordResult(r, entry)
			b.recordLoops(r, entry)
			b.recordVars(r, entry, tops)
			b.shape = &shape{result: r, entry: entry, topVars: tops, in: in}
			if errs := b.embedErrors(); len(errs) > 0 {
				return errs
			}
			b.recordDecls(r)
			b.lastCheck = &symtab.Check{Pkg: r.Pkg, Info: r.Info}
			return nil
		}
		for _, f := range foreign {
			b.setAside(f)
		}
	}
}

// bodyPass checks the function bodies of the cell and of the older declarations
// that depend on its changes, and sets aside those that no longer compile.
func (b *builder) bodyPass() (map[*symtab.Symbol]emit.Form, *check.Result, error) {
	b.findDependents()
	for {
		in := b.reach(b.recompiledSymbols())
		r, err := b.checker().Check(b.emitUnit(false, in))
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(r.Faults, func(f check.Fault) bool { return f.Owner == emit.WrappersOwner }) {
			b.noInstances = true
			continue
		}
		own, foreign := b.splitFaults(r.Faults)
		if len(own) > 0 {
			return nil, nil, check.Errors(own)
		}
		if len(foreign) == 0 {
			b.findInstances(r)
			b.recordOlder(r)
			b.noteKeptMethods()
			b.noteUses(r)
			b.recordAllLiterals(r)
			b.noteFlags(r)
			b.noteEffects(r, in)
			b.noteInitial(r, in)
			if errs := b.checkInitialized(r); len(errs) > 0 {
				return nil, nil, errs
			}
			b.lastCheck = &symtab.Check{Pkg: r.Pkg, Info: r.Info}
			return in, r, nil
		}
		for _, f := range foreign {
			b.setAside(f)
		}
	}
}

// splitFaults separates the faults of the cell from those of older declarations.
func (b *builder) splitFaults(faults []check.Fault) (own, foreign []check.Fault) {
	for _, f := range faults {
		if f.Owner == nil || f.Owner.Origin == b.origin {
			own = append(own, f)
		} else {
			foreign = append(foreign, f)
		}
	}
	return own, foreign
}

// noteUses records which methods each compiled function selects.
func (b *builder) noteUses(r *check.Result) {
	for sel, s := range r.Info.Selections {
		fn, ok := s.Obj().(*types.Func)
		if !ok || fn.Pkg() != r.Pkg {
			continue
		}
		recv := fn.Signature().Recv()
		if recv == nil {
			continue
		}
		t := recv.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		named, ok := t.(*types.Named)
		if !ok {
			continue
		}
		if owner := r.Owner(sel.Pos()); owner != nil && owner.Kind == cell.Func {
			owner.Uses = append(owner.Uses, mangle.Demangle(named.Obj().Name())+"."+fn.Name())
		}
	}
}

// Build checks and compiles a cell against the live declarations. The number of a cell is its execution count; 0 is
// for code that is not a cell of the notebook, such as an expression that a front end evaluates. The error is a
// cell.Errors if the cell has mistakes. Concurrent calls run one after the other.
func (p *Program) Build(ctx context.Context, c *cell.Cell) (*Unit, error) {
	p.building.Lock()
	defer p.building.Unlock()
	start := time.Now()
	if p.reusesVariable(c) || p.replacesVariable(c) || embeds(c) {
		c = c.Sequence()
	}
	u, err := newBuilder(p, c).build(ctx)
	if errors.Is(err, errNeedsSequence) {
		u, err = newBuilder(p, c.Sequence()).build(ctx)
	}
	if err != nil {
		return nil, err
	}
	u.Timing.Total = time.Since(start)
	return u, nil
}

// reusesVariable reports whether a var declaration uses an older variable of the name
// that it declares, as in var x = x + 1. In a cell with a package clause, that is an error.
func (p *Program) reusesVariable(c *cell.Cell) bool {
	if c.Package {
		return false
	}
	for _, d := range c.Decls {
		if d.Kind != cell.Var {
			continue
		}
		for _, n := range d.Names {
			old := p.table.Names[n.Name]
			for _, r := range d.Refs {
				if old != nil && old.Kind == cell.Var && r.Name == n.Name && r.Off != n.Off {
					return true
				}
			}
		}
	}
	return false
}

// replacesVariable reports whether a var declaration with a value declares a
// variable that the notebook has. Statements then assign the value, so that the variable
// keeps its old value if evaluating the new one fails.
func (p *Program) replacesVariable(c *cell.Cell) bool {
	for _, d := range c.Decls {
		if d.Kind != cell.Var || len(d.Var.Values) == 0 {
			continue
		}
		for _, n := range d.Names {
			if old := p.table.Names[n.Name]; old != nil && old.Kind == cell.Var {
				return true
			}
		}
	}
	return false
}
