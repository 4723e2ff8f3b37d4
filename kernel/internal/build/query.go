package build

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A Candidate is a name that can stand at a cursor.
type Candidate struct {
	Name, Kind, Signature string // Kind as Jupyter names it: "function", "variable", …
}

// cursorName marks the cursor in text that is checked for completion.
const cursorName = "perijoveCursor"

// Complete lists what can stand at a cursor, a byte offset into src, and the
// range that a candidate replaces. Text that cannot be parsed has none.
func (p *Program) Complete(src string, cursor int) (list []Candidate, start, end int) {
	start, end = wordAt(src, cursor)
	prefix := src[start:cursor]
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.checkText(src[:start] + cursorName + src[end:])
	if r == nil {
		return nil, cursor, cursor
	}
	id, sel := findIdent(r, func(id *ast.Ident) bool { return id.Name == cursorName })
	switch {
	case id == nil:
		return nil, cursor, cursor
	case sel != nil:
		list = members(r, sel.X)
	default:
		list = p.visible(r, id.Pos())
	}
	list = slices.DeleteFunc(list, func(c Candidate) bool { return !strings.HasPrefix(c.Name, prefix) })
	slices.SortFunc(list, func(a, b Candidate) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Candidate) bool { return a.Name == b.Name }), start, end
}

// A Description tells what a name means.
type Description struct {
	Text string // its declaration, without a body
	Doc  string // its documentation; empty if it has none

	// Of what the notebook declares, the text and the cell that it is from.
	Source string
	Cell   int
}

// Describe explains the name at a cursor, a byte offset into src.
func (p *Program) Describe(src string, cursor int) (Description, bool) {
	start, end := wordAt(src, cursor)
	if start == end {
		return Description{}, false
	}
	at := cell.PosAt(src, start)
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.checkText(src)
	if r == nil {
		return Description{}, false
	}
	id, _ := findIdent(r, func(id *ast.Ident) bool {
		pos := r.fset.Position(id.Pos())
		n, ok := cellNumber(pos.Filename)
		return ok && n == queryCell && pos.Line == at.Line && pos.Column == at.Col
	})
	if id == nil {
		return Description{}, false
	}
	obj := r.info.ObjectOf(id)
	if obj == nil {
		return Description{}, false
	}
	if obj.Name() == contextName {
		return contextDescription, true
	}
	text := demangle(types.ObjectString(obj, qualifier(r.pkg)))
	if pn, ok := obj.(*types.PkgName); ok {
		return Description{Text: text, Doc: packageDoc(p.pkgs, pn.Imported())}, true
	}
	d := Description{Text: text, Doc: docOf(p.pkgs, obj)}
	if obj.Pkg() == r.pkg {
		d.Doc = p.notebookDoc(obj)
	}
	if s := p.names[src[start:end]]; s != nil && s.decl != nil && s.origin != nil && obj.Parent() == r.pkg.Scope() {
		d.Source, d.Cell = strings.TrimSpace(s.decl.Text), s.origin.n
	}
	return d, true
}

func qualifier(main *types.Package) types.Qualifier {
	return func(q *types.Package) string {
		if q == main {
			return ""
		}
		return q.Name()
	}
}

// wordAt returns the range of the identifier around a cursor.
func wordAt(src string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(src[:start])
		if !isWord(r) {
			break
		}
		start -= n
	}
	for end < len(src) {
		r, n := utf8.DecodeRuneInString(src[end:])
		if !isWord(r) {
			break
		}
		end += n
	}
	return start, end
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// queryCell is the number of text that is checked but not executed.
const queryCell = 1 << 30

// checkText type-checks text as a cell, with all bodies, whatever faults it
// has. Text that does not parse is cut off after the line of the cursor mark
// and what is open is closed.
func (p *Program) checkText(src string) *result {
	c, errs := cell.Parse(queryCell, src)
	if errs != nil {
		if i := strings.Index(src, cursorName); i >= 0 {
			if j := strings.IndexByte(src[i:], '\n'); j >= 0 {
				src = src[:i+j]
			}
		}
		if c, errs = cell.Parse(queryCell, src+closers(src)); errs != nil {
			return nil
		}
	}
	b := newBuilder(p, c)
	b.declare()
	b.hoist()
	if errs := b.resolve(); len(errs) > 0 {
		return nil
	}
	in := b.reach(nil)
	e := b.newEmitter(true, in)
	list := make([]*symbol, 0, len(in))
	for s := range in {
		list = append(list, s)
	}
	sortSymbols(list)
	for _, s := range list {
		e.symbol(s, signature)
	}
	for _, s := range b.decls {
		e.symbol(s, full)
	}
	for _, s := range b.specs {
		e.spec(s)
	}
	e.newVars()
	e.entry()
	e.finish()
	r, err := b.check(e)
	if err != nil || r.pkg == nil {
		return nil
	}
	return r
}

// closers returns what closes the brackets that are open at the end of src.
func closers(src string) string {
	var open []string
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", -1, len(src)), []byte(src), func(token.Position, string) {}, 0)
	for {
		_, tok, _ := s.Scan()
		switch tok {
		case token.LPAREN:
			open = append(open, ")")
		case token.LBRACK:
			open = append(open, "]")
		case token.LBRACE:
			open = append(open, "\n}")
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open = open[:max(len(open)-1, 0)]
		case token.EOF:
			slices.Reverse(open)
			return strings.Join(open, "")
		}
	}
}

// findIdent returns the identifier that is wanted, and the selector whose
// right side it is, if it is one.
func findIdent(r *result, want func(*ast.Ident) bool) (id *ast.Ident, sel *ast.SelectorExpr) {
	for _, f := range r.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if want(n.Sel) {
					id, sel = n.Sel, n
				}
			case *ast.Ident:
				if id == nil && want(n) {
					id = n
				}
			}
			return true
		})
	}
	return id, sel
}

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
			if local && obj.Pos() > pos || strings.ContainsAny(name, mangleMark) || name == cursorName {
				continue
			}
			list = append(list, candidate(obj, r.pkg))
		}
	}
	for name, s := range p.names {
		list = append(list, Candidate{Name: name, Kind: jupyterKind(s.kindName()), Signature: s.text})
	}
	if p.names[contextIdent] == nil {
		list = append(list, Candidate{Name: contextIdent, Kind: "variable", Signature: "context.Context"})
	}
	for name := range p.imports {
		add(name, "module")
	}
	for name := range p.pkgs.std {
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
		c.Signature = demangle(types.TypeString(obj.Type(), qualifier(main)))
	}
	return c
}
