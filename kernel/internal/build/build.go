package build

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sort"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// build runs the passes in their order.
func (b *builder) build(ctx context.Context) (*Unit, error) {
	b.declare()
	b.hoist()
	if errs := b.resolve(); len(errs) > 0 {
		return nil, errs.Sorted()
	}
	b.returning()
	if err := b.shapePass(); err != nil {
		return nil, err
	}
	u := &Unit{Cell: b.c, program: b.p}
	in, err := b.bodyPass()
	if err != nil {
		return nil, err
	}
	if b.dynamicInit() && hasWitness(in) {
		return nil, errSequence
	}
	e := b.emitUnit(false, in)
	b.describeUnit(u, e, in)
	if len(e.order) > 0 {
		start := time.Now()
		if u.Object, err = b.compile(ctx, e); err != nil {
			return nil, err
		}
		u.Timing.Compile = time.Since(start)
	}
	return u, nil
}

// errSequence asks for the cell's variables to be initialized by statements:
// the package's own initialization would evaluate the expressions that stand
// for the types of older variables.
var errSequence = errors.New("build: initialize in sequence")

func hasWitness(in map[*symbol]form) bool {
	for s := range in {
		if s.witness != nil {
			return true
		}
	}
	return false
}

// shapePass checks signatures and statements. It settles the types of
// variables, which of them are static, and what the last expression shows.
func (b *builder) shapePass() error {
	b.wrapLast()
	for {
		r, err := b.check(b.emitUnit(true, b.reach(nil)))
		if err != nil {
			return err
		}
		entry := r.entryDecl(b.entryName())
		at := map[token.Pos]bool{}
		var tops []*ast.Ident
		if entry != nil {
			tops = topVars(entry.Body.List)
			for _, id := range tops {
				at[id.Pos()] = true
			}
		}
		var faults []fault
		for _, f := range r.faults {
			if !f.unused(at) && !b.lastMayStand(r, entry, f) {
				faults = append(faults, f)
			}
		}
		own, foreign := b.divide(faults)
		if len(own) > 0 {
			return faultErrors(own)
		}
		if len(foreign) == 0 {
			b.settleLast(r, entry)
			b.settleVars(r, entry, tops)
			b.settleDecls(r)
			b.last = &checked{r.pkg, r.info}
			return nil
		}
		for _, f := range foreign {
			b.setAside(f)
		}
	}
}

// resultStmt finds the statement whose value the cell shows.
func (b *builder) resultStmt() (int, *stmt) {
	for i, st := range b.stmts {
		if st.result {
			return i, st
		}
	}
	return -1, nil
}

// wrapLast makes the last expression an argument of show, unless it is a call
// or a receive: those wait for their types.
func (b *builder) wrapLast() {
	_, st := b.resultStmt()
	if st == nil || st.Call {
		return
	}
	st.show = show
	if b.c.HideResult {
		st.show = discard
	}
}

// resultExpr finds the last expression in the checked entry function, whose
// statements are those of the builder one by one.
func (b *builder) resultExpr(entry *ast.FuncDecl) ast.Expr {
	i, _ := b.resultStmt()
	if i < 0 || entry == nil || i >= len(entry.Body.List) {
		return nil
	}
	s := entry.Body.List[i]
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			break
		}
		s = l.Stmt
	}
	if x, ok := s.(*ast.ExprStmt); ok {
		return x.X
	}
	return nil
}

// lastMayStand reports whether the fault is Go's complaint that the last
// expression, a conversion or a call of a built-in function, is not used.
func (b *builder) lastMayStand(r *result, entry *ast.FuncDecl, f fault) bool {
	x := b.resultExpr(entry)
	if x == nil || !strings.HasSuffix(f.err.Msg, "is not used") {
		return false
	}
	return f.pos >= x.Pos() && f.pos < x.End() && r.info.Types[x].IsValue()
}

// settleLast decides how the value of a last call is shown.
func (b *builder) settleLast(r *result, entry *ast.FuncDecl) {
	x := b.resultExpr(entry)
	if x == nil {
		return
	}
	_, st := b.resultStmt()
	if st.show != plain { // wrapped: look at the argument
		call := x.(*ast.CallExpr)
		if st.show == show && len(call.Args) == 1 && isError(r.info.TypeOf(call.Args[0])) {
			st.show = showError
		}
		return
	}
	tv := r.info.Types[x]
	if !tv.IsValue() || isPrint(r.info, x) {
		return
	}
	if t, ok := tv.Type.(*types.Tuple); ok && t.Len() == 0 {
		return
	}
	st.show = show
	switch {
	case b.c.HideResult:
		st.show = discard
	case isError(tv.Type):
		st.show = showError
	}
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// isPrint reports whether x calls one of fmt's Print or Fprint functions.
func isPrint(info *types.Info, x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	var id *ast.Ident
	switch fn := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		id = fn.Sel
	case *ast.Ident:
		id = fn
	default:
		return false
	}
	fn, ok := info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "fmt" {
		return false
	}
	return strings.HasPrefix(fn.Name(), "Print") || strings.HasPrefix(fn.Name(), "Fprint")
}

// settleVars gives the cell's variables their types and link names.
func (b *builder) settleVars(r *result, entry *ast.FuncDecl, tops []*ast.Ident) {
	if entry == nil {
		b.settleSpecs(r)
		return
	}
	stmts := b.stmtsByName()
	for _, id := range tops {
		v := b.vars[id.Name]
		obj, _ := r.info.Defs[id].(*types.Var)
		if v == nil || obj == nil {
			continue
		}
		st := stmts[id.Name]
		b.settleVar(v, obj.Type(), r.pkg)
		if v.typ == nil {
			v.witness = b.witness(st, id.Name)
		}
	}
	for _, st := range b.stmts {
		if st.Var != nil {
			st.static = b.isStatic(r, entry, st)
		}
	}
}

func (b *builder) stmtsByName() map[string]*stmt {
	out := map[string]*stmt{}
	for _, st := range b.stmts {
		for i, n := range st.Names {
			if st.New[i] {
				out[n.Name] = st
			}
		}
	}
	return out
}

func (b *builder) settleSpecs(r *result) {
	for name, v := range b.vars {
		if obj, ok := r.pkg.Scope().Lookup(b.nameIn(v, name)).(*types.Var); ok {
			b.settleVar(v, obj.Type(), r.pkg)
		}
	}
}

func (b *builder) settleVar(v *symbol, t types.Type, main *types.Package) {
	v.typ = spell(t, main)
	v.text = describe(t, main)
	v.print = fingerprint(t, main)
	b.link(v)
}

// A linkName is the newest link symbol of a variable or function.
type linkName struct {
	kind    cell.Kind
	print   string
	version int
}

// link chooses the link name of a variable or function: the one that the
// worker has if it means the same to compiled code, else a new one, so that
// running older code keeps what it was compiled for.
func (b *builder) link(s *symbol) {
	if s.recv != "" {
		return
	}
	l, ok := b.p.links[s.key]
	switch {
	case !ok:
		l = linkName{s.kind, s.print, 1}
	case l.kind != s.kind || l.print != s.print:
		l = linkName{s.kind, s.print, l.version + 1}
	}
	b.links[s.key] = l
	s.ename = mangle(s.key)
	if l.version > 1 {
		s.ename = fmt.Sprintf("%s%s%d", s.key, mangleMark, l.version)
	}
}

// witness keeps the defining expression of a variable whose type has no name here.
func (b *builder) witness(st *stmt, name string) *witness {
	if st == nil {
		return nil
	}
	w := &witness{stmt: st.Stmt, binds: map[string]binding{}}
	var values []cell.Span
	if st.Var != nil {
		values = st.Var.Values
	} else {
		values = st.Values
	}
	for i, n := range st.Names {
		if n.Name == name {
			w.index = i
		}
	}
	if len(values) == len(st.Names) {
		w.span, w.index, w.count = values[w.index], 0, 1
	} else {
		w.span, w.count = values[0], len(st.Names)
	}
	for _, ref := range st.Refs {
		if ref.Off < w.span.Start || ref.Off >= w.span.End {
			continue
		}
		w.binds[ref.Name] = b.before[ref.Name]
		if ref.Top {
			ref.Top = false
			w.binds[ref.Name] = binding{kind: notebook}
		}
		w.refs = append(w.refs, ref)
	}
	return w
}

// isStatic reports whether the compiler can put the variables of st into the
// object's data: there are no initializers, or constants alone.
func (b *builder) isStatic(r *result, entry *ast.FuncDecl, st *stmt) bool {
	if len(st.Var.Values) == 0 {
		return true
	}
	for _, s := range entry.Body.List {
		d, ok := s.(*ast.DeclStmt)
		if !ok {
			continue
		}
		for _, sp := range d.Decl.(*ast.GenDecl).Specs {
			v, ok := sp.(*ast.ValueSpec)
			if !ok || !sameNames(v.Names, st.Names) {
				continue
			}
			for _, x := range v.Values {
				if tv := r.info.Types[x]; tv.Value == nil && !tv.IsNil() || tv.Value != nil && tv.Value.Kind() == constant.Unknown {
					return false
				}
			}
			return len(v.Values) == len(v.Names)
		}
	}
	return false
}

func sameNames(ids []*ast.Ident, names []cell.Ref) bool {
	if len(ids) != len(names) {
		return false
	}
	named := false
	for i, id := range ids {
		if id.Name != names[i].Name {
			return false
		}
		named = named || id.Name != "_"
	}
	return named
}

// settleDecls takes fingerprints of what the cell declares.
func (b *builder) settleDecls(r *result) {
	for _, s := range b.decls {
		if s.once() {
			continue
		}
		obj := b.object(r, s)
		if obj == nil {
			continue
		}
		b.describeSymbol(s, obj, r.pkg)
		if s.kind == cell.Func {
			b.link(s)
		}
	}
}

func (b *builder) object(r *result, s *symbol) types.Object {
	scope := r.pkg.Scope()
	if s.recv == "" {
		return scope.Lookup(b.nameIn(s, s.key))
	}
	tn, ok := scope.Lookup(mangle(s.recv)).(*types.TypeName)
	if !ok {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(types.Unalias(tn.Type())), false, r.pkg, s.ename)
	return obj
}

func (b *builder) describeSymbol(s *symbol, obj types.Object, main *types.Package) {
	t := obj.Type()
	s.text = describe(t, main)
	switch obj := obj.(type) {
	case *types.Const:
		s.prints = map[string]string{}
		for _, n := range s.decl.Names {
			if c, ok := main.Scope().Lookup(mangle(n.Name)).(*types.Const); ok {
				s.prints[n.Name] = c.Val().ExactString() + ":" + fingerprint(c.Type(), main)
			}
		}
	case *types.TypeName:
		s.text = describe(t.Underlying(), main)
		s.layout = fingerprint(t, main)
		s.print = s.layout
		if obj.IsAlias() {
			s.print = "=" + fingerprint(types.Unalias(t), main)
		}
		if s.decl.Generic {
			s.print = s.decl.Text
		}
	default:
		s.print = fingerprint(t, main)
		if s.decl.Generic {
			s.print = s.decl.Text
		}
	}
}

// bodyPass checks function bodies, of the cell and of the older declarations
// that its changes reach, and settles which of those are set aside.
func (b *builder) bodyPass() (map[*symbol]form, error) {
	b.affected()
	for {
		in := b.reach(b.older())
		r, err := b.check(b.emitUnit(false, in))
		if err != nil {
			return nil, err
		}
		own, foreign := b.divide(r.faults)
		if len(own) > 0 {
			return nil, faultErrors(own)
		}
		if len(foreign) == 0 {
			b.settleOlder(r)
			b.noteUses(r)
			b.last = &checked{r.pkg, r.info}
			return in, nil
		}
		for _, f := range foreign {
			b.setAside(f)
		}
	}
}

// older lists the symbols that are compiled again.
func (b *builder) older() []*symbol {
	var out []*symbol
	for _, old := range b.order {
		if _, gone := b.dropped[old]; !gone {
			out = append(out, b.recomp[old])
		}
	}
	return append(out, b.back...)
}

// divide separates the faults of the cell from those of older declarations.
func (b *builder) divide(faults []fault) (own, foreign []fault) {
	for _, f := range faults {
		if f.owner == nil || f.owner.origin == b.o {
			own = append(own, f)
		} else {
			foreign = append(foreign, f)
		}
	}
	return own, foreign
}

// noteUses records which methods each compiled function selects.
func (b *builder) noteUses(r *result) {
	for sel, s := range r.info.Selections {
		fn, ok := s.Obj().(*types.Func)
		if !ok || fn.Pkg() != r.pkg {
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
		if owner := r.owner(sel.Pos()); owner != nil && owner.kind == cell.Func {
			owner.uses = append(owner.uses, demangle(named.Obj().Name())+"."+fn.Name())
		}
	}
}

// describeUnit fills in what the worker must know, and what Commit will do.
func (b *builder) describeUnit(u *Unit, e *emitter, in map[*symbol]form) {
	c := &changes{
		origin: b.o, imports: b.imports, dots: b.dots, blanks: b.blanks,
		links: b.links, checked: b.last, updates: b.recomp,
	}
	u.changes = c
	inits := 0
	for _, s := range b.decls {
		if s.key == "" && s.kind == cell.Func && s.decl.Names[0].Name == "init" {
			u.Fresh = append(u.Fresh, fmt.Sprintf("main.init.%d", inits))
			inits++
		}
		if s.once() {
			continue
		}
		c.define = append(c.define, s)
		if s.kind == cell.Func {
			b.compiled(u, s)
		}
	}
	c.define = append(c.define, b.back...)
	for s, f := range in {
		switch {
		case s.kind != cell.Func || f != full:
		case s.loaded:
			c.bodies = append(c.bodies, s.key)
		default:
			b.compiled(u, s)
		}
	}
	for old, why := range b.dropped {
		c.aside = append(c.aside, &asideSymbol{old, why})
	}
	b.describeVars(u)
	u.Init = inits > 0 || b.dynamicInit()
	if u.Init {
		u.Fresh = append(u.Fresh, "main.init", "main..inittask")
	}
	if len(b.stmts) > 0 {
		u.Entry = "main." + b.entryName()
		u.Fresh = append(u.Fresh, u.Entry)
	} else if b.fresh["main"] != nil && b.fresh["main"].kind == cell.Func {
		u.Entry = "main.main"
	}
	for path := range e.paths {
		u.Imports = append(u.Imports, path)
	}
	sort.Strings(u.Imports)
	sort.Strings(u.Fresh)
	sort.Strings(u.Renewed)
	u.Notices = b.notices
}

// compiled notes that the unit defines a function.
func (b *builder) compiled(u *Unit, s *symbol) {
	sym := b.linkSymbol(s)
	u.Fresh = append(u.Fresh, sym)
	if b.renewed(s) {
		u.Renewed = append(u.Renewed, sym)
	}
	u.changes.loaded = append(u.changes.loaded, s)
	u.changes.bodies = append(u.changes.bodies, s.key)
}

func (b *builder) describeVars(u *Unit) {
	static := map[string]bool{}
	for _, st := range b.stmts {
		if st.static {
			for _, n := range st.Names {
				static[n.Name] = true
			}
		}
	}
	for name, v := range b.vars {
		old := b.p.names[name]
		reused := old != nil && old.kind == cell.Var && old.ename == v.ename
		if !reused || static[name] || len(b.specs) > 0 {
			u.Fresh = append(u.Fresh, "main."+v.ename)
		}
		v.loaded = true
		u.changes.define = append(u.changes.define, v)
	}
	for _, s := range b.reset {
		u.Fresh = append(u.Fresh, "main."+s.ename)
	}
}

// dynamicInit reports whether a cell of declarations has initializers that run.
func (b *builder) dynamicInit() bool {
	for _, s := range b.specs {
		if len(s.v.Values) > 0 {
			return true
		}
	}
	return false
}

// linkSymbol is a function's name in the object.
func (b *builder) linkSymbol(s *symbol) string {
	name := b.nameIn(s, s.key)
	switch {
	case s.recv == "":
		return "main." + name
	case s.decl.PtrRecv:
		return "main.(*" + mangle(s.recv) + ")." + s.ename
	}
	return "main." + mangle(s.recv) + "." + s.ename
}
