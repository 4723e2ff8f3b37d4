package cell

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"slices"
	"strings"
)

const execName = "%exec"

// programNames are the directives that make a program of a cell: its flags are
// parsed where they stand.
var programNames = map[string]bool{"%%": true, "%main": true}

// FlagPackage is what statements that stand for a directive call package flag,
// whatever the notebook means by that name.
const FlagPackage = "flagʹ"

// initPrefix begins the names of functions that GoNB calls before main.
const initPrefix = "init_"

// WithInits returns the cell with calls of its functions named init_NAME, in
// the order of their names: before its flags are parsed, or else at its end.
func (c *Cell) WithInits() *Cell {
	if !slices.ContainsFunc(c.Decls, (*Decl).isInit) {
		return c
	}
	return c.in(form{true, true})
}

func (d *Decl) isInit() bool { return d.Nullary && strings.HasPrefix(d.Names[0].Name, initPrefix) }

// Declarations returns what a cell declares that is no variable: its imports,
// functions, types and constants.
func (c *Cell) Declarations() *Cell {
	out := &Cell{N: c.N, Src: c.Src, Package: c.Package, Imports: c.Imports, Linknames: c.Linknames, Builds: c.Builds, Result: -1}
	for _, d := range c.Decls {
		if d.Kind != Var {
			out.Decls = append(out.Decls, d)
		}
	}
	return out
}

// functionName returns the first word of a directive's arguments if it is
// written as a function's name is, with a package or without.
func functionName(args string) string {
	word, _, _ := strings.Cut(strings.ReplaceAll(args, "\t", " "), " ")
	x, err := parser.ParseExpr(word)
	if err != nil {
		return ""
	}
	switch x := x.(type) {
	case *ast.Ident:
		return word
	case *ast.SelectorExpr:
		if _, ok := x.X.(*ast.Ident); ok {
			return word
		}
	}
	return ""
}

// program adds the statements that directives mean.
func (p *parse) program() {
	c := p.cell
	var inits []*Stmt
	if c.form.inits {
		inits = initCalls(c.Decls)
	}
	for _, d := range c.Directives {
		switch {
		case programNames[d.Name]:
			p.insert(append(inits, call(ParseFlags, d.Pos, FlagPackage, "Parse")), d.Pos)
			inits = nil
		case d.Function != "":
			base, sel, _ := strings.Cut(d.Function, ".")
			p.insert([]*Stmt{call(CallExec, d.Pos, FlagPackage, "Parse"), call(CallExec, d.Pos, base, sel)}, d.Pos)
		}
	}
	c.Stmts = append(c.Stmts, inits...)
	p.examples()
}

// initCalls calls the init_NAME functions of a cell.
func initCalls(decls []*Decl) []*Stmt {
	var list []*Stmt
	seen := map[string]bool{}
	for _, d := range decls {
		if name := d.Names[0].Name; d.isInit() && !seen[name] {
			seen[name] = true
			list = append(list, call(CallInit, d.Pos, name, ""))
		}
	}
	slices.SortFunc(list, func(a, b *Stmt) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// call is the statement base.sel(), or base().
func call(role Role, at Pos, base, sel string) *Stmt {
	text := base
	s := &Stmt{Define: -1, Call: true, Role: role}
	if sel != "" {
		text += "." + sel
		s.Sels = []string{sel}
	}
	s.Source.Text, s.Pos = text+"()", at
	s.Refs = []Ref{{Name: base, Sel: sel}}
	return s
}

// insert puts statements where a directive stands.
func (p *parse) insert(list []*Stmt, at Pos) {
	c := p.cell
	i := slices.IndexFunc(c.Stmts, func(s *Stmt) bool { return at.before(s.Pos) })
	switch {
	case i < 0:
		i = len(c.Stmts)
	case c.Result >= i:
		c.Result += len(list)
	}
	c.Stmts = slices.Insert(c.Stmts, i, list...)
}

func (a Pos) before(b Pos) bool { return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col }

// examples notes what the cell's examples announce.
func (p *parse) examples() {
	byName := map[string]*Decl{}
	for _, d := range p.cell.Decls {
		if d.Nullary && strings.HasPrefix(d.Names[0].Name, "Example") {
			byName[d.Names[0].Name] = d
		}
	}
	if len(byName) == 0 {
		return
	}
	for _, ex := range doc.Examples(p.file) {
		if d := byName["Example"+ex.Name]; d != nil {
			d.Example = &Example{ex.Output, ex.Unordered, ex.Output != "" || ex.EmptyOutput}
		}
	}
}

// Title is the first line of a cell, or of its declarations alone, and a sign
// that more follows.
func (c *Cell) Title(declarations bool) string {
	pieces, _ := Split(c.Src)
	var b strings.Builder
	for _, p := range pieces {
		if !declarations || p.Kind != Statement && p.Kind != Var && p.Kind != Directive {
			b.WriteString(c.Src[p.Start:p.End])
		}
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
	if strings.TrimSpace(rest) != "" {
		first += " ..."
	}
	return first
}
