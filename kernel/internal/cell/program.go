package cell

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"slices"
	"strings"
)

const execName = "%exec"

// programNames are the directives at which a cell parses its command line flags, as a
// program does.
var programNames = map[string]bool{"%%": true, "%main": true}

// FlagPackage is the name of package flag in statements that are added for a directive. The
// notebook cannot declare it.
const FlagPackage = "flagʹ"

// initPrefix is the prefix of the functions that GoNB calls before main.
const initPrefix = "init_"

// WithInits returns the cell with a call of each of its functions named init_NAME, sorted by name. If the cell parses
// its flags, the calls come before that; otherwise they are at the end of the cell.
func (c *Cell) WithInits() *Cell {
	if !slices.ContainsFunc(c.Decls, (*Decl).isInit) {
		return c
	}
	return c.in(form{true, true})
}

func (d *Decl) isInit() bool { return d.Nullary && strings.HasPrefix(d.Names[0].Name, initPrefix) }

// Declarations returns a cell with only the imports,
// functions, types and constants of c.
func (c *Cell) Declarations() *Cell {
	out := &Cell{N: c.N, Src: c.Src, Package: c.Package, Imports: c.Imports, Linknames: c.Linknames, Builds: c.Builds, Result: -1}
	for _, d := range c.Decls {
		if d.Kind != Var {
			out.Decls = append(out.Decls, d)
		}
	}
	return out
}

// functionName returns the first word of a directive's arguments if it has the
// form of a function name, with or without a package; else "".
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

// program adds the statements for directives.
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

// initCalls returns calls of the init_NAME functions of a cell, sorted by name.
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

// call returns the statement base.sel(), or base() if sel is "".
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

// insert inserts statements at the position of a directive.
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

// examples records the expected output of the cell's example functions.
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

// Title returns the first line of a cell, followed by " ..." if the cell has more lines. If declarations is true,
// only imports, functions, types and constants count.
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
