package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A notebook is a random notebook: its cells, the order in which they run, some repeatedly,
// and an equivalent Go program. The program contains all versions of functions and constants
// that cells redefine, and selects one by a variable.
type notebook struct {
	cells  []*randomCell
	runs   []int // indices of cells, in the order in which they are executed
	head   string
	funcs  []*randomFunc
	consts []*randomConst
}

// A randomCell has the text of a cell, and the statements of the program for a run of the cell.
type randomCell struct {
	text, body string
}

// A randomFunc is a function, or a method of type point, with all its versions.
type randomFunc struct {
	name, head string // head without func and the name
	generic    bool
	method     bool
	bodies     []string
}

// A randomConst is an integer constant with all its values. The program has a variable of that name.
type randomConst struct {
	name   string
	values []int
}

// A generator generates one notebook.
type generator struct {
	*rand.Rand
	nb     *notebook
	vars   map[kind][]string // variables of the notebook
	locals []local
	callee int // functions below this index may be called
	inLit  int // nesting in function literals
	loops  int // nesting of loops
	budget int // how many more calls mayCall allows
	inFunc bool
	fresh  int
	made   map[string]bool // variables that the cell has defined
}

type local struct {
	kind  kind
	name  string
	fixed bool // must not be assigned to
}

type kind int

const (
	number kind = iota
	text
	list
	table
	pair // type point
	unary
	kinds
)

var kindTypes = [kinds]string{"int", "string", "[]int", "map[string]int", "point", "func(int) int"}

// randomHead has the declarations at the beginning of all notebooks.
const randomHead = `type point struct {
	X int
	Name string
}

type shape interface{ Area(int) int }

func (p *point) move(n int) { p.X += n }

func each(n int) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := range n {
			if !yield(i, fmt.Sprint("s", i)) {
				return
			}
		}
	}
}

func num(x int) int { return x }

func guard(name string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(name, "recovered:", r)
		}
	}()
	f()
}

`

func newNotebook(seed uint64) *notebook {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), nb: &notebook{head: randomHead}, vars: map[kind][]string{}}
	g.nb.cells = append(g.nb.cells, &randomCell{text: randomHead})
	g.nb.runs = append(g.nb.runs, 0)
	for range 8 + g.IntN(8) {
		if n := len(g.nb.cells); n > 2 && g.IntN(6) == 0 {
			g.nb.runs = append(g.nb.runs, 1+g.IntN(n-1))
			continue
		}
		g.nb.cells = append(g.nb.cells, g.cell())
		g.nb.runs = append(g.nb.runs, len(g.nb.cells)-1)
	}
	return g.nb
}

// cell returns a random cell: declarations and statements in any order.
func (g *generator) cell() *randomCell {
	c := &randomCell{}
	g.made = map[string]bool{}
	var decls, stmts []string
	for range g.IntN(3) {
		if g.IntN(4) == 0 {
			decls = append(decls, g.constant(c))
		} else {
			decls = append(decls, g.function(c))
		}
	}
	g.callee = len(g.nb.funcs)
	for range 1 + g.IntN(4) {
		g.budget = 4
		stmts = append(stmts, g.topStatement())
	}
	stmts = append(stmts, g.show())
	c.body += strings.ReplaceAll(strings.Join(stmts, "\n"), defines, "=")
	for _, d := range decls {
		stmts = slices.Insert(stmts, g.IntN(len(stmts)+1), d)
	}
	c.text = strings.ReplaceAll(strings.Join(stmts, "\n"), defines, ":=") + "\n"
	return c
}

// show returns statements that print all variables of the notebook.
func (g *generator) show() string {
	var names []string
	for k := range unary {
		names = append(names, g.vars[k]...)
	}
	for _, f := range g.vars[unary] {
		names = append(names, f+"(3)")
	}
	return "fmt.Println(" + strings.Join(names, ", ") + ")"
}

// constant returns a declaration of a new or an existing integer constant, in a group or alone.
func (g *generator) constant(c *randomCell) string {
	var k *randomConst
	if n := len(g.nb.consts); n > 0 && g.IntN(2) == 0 {
		k = g.nb.consts[g.IntN(n)]
	}
	if k == nil || g.made[k.name] {
		k = &randomConst{name: fmt.Sprint("K", len(g.nb.consts))}
		g.nb.consts = append(g.nb.consts, k)
	}
	v := g.IntN(20) - 5
	k.values, g.made[k.name] = append(k.values, v), true
	c.body += fmt.Sprintf("%s = %d\n", k.name, v)
	if g.IntN(2) == 0 {
		return fmt.Sprintf("const (\n\t_ = iota + %d\n\t%s\n)", v-1, k.name)
	}
	return fmt.Sprintf("const %s = %d", k.name, v)
}

// function returns a declaration of a new or an existing function.
func (g *generator) function(c *randomCell) string {
	i := len(g.nb.funcs)
	var f *randomFunc
	if i > 0 && g.IntN(2) == 0 {
		f = g.nb.funcs[g.IntN(i)]
	}
	if f != nil && !g.made[f.name] {
		i = slices.Index(g.nb.funcs, f)
	} else {
		f = g.signature(i)
		g.nb.funcs = append(g.nb.funcs, f)
	}
	g.made[f.name] = true
	body := g.body(f, i)
	f.bodies = append(f.bodies, body)
	c.body += fmt.Sprintf("%sV = %d\n", f.name, len(f.bodies))
	return f.declare(body)
}

func (g *generator) signature(i int) *randomFunc {
	name := fmt.Sprint("f", i)
	switch g.IntN(4) {
	case 0:
		return &randomFunc{name: name, head: "[P any](p P, a int) (r int)", generic: true}
	case 1:
		return &randomFunc{name: name, head: "(a int) (r int)", method: true}
	}
	return &randomFunc{name: name, head: "(a int) (r int)"}
}

func (f *randomFunc) declare(body string) string {
	if f.method {
		return fmt.Sprintf("func (p point) %s%s {\n%s}", f.name, f.head, body)
	}
	return fmt.Sprintf("func %s%s {\n%s}", f.name, f.head, body)
}

// body returns the body of function i, which calls only functions with a lower index.
func (g *generator) body(f *randomFunc, i int) string {
	locals, callee := g.locals, g.callee
	defer func() { g.locals, g.callee, g.inFunc = locals, callee, false }()
	g.locals, g.callee = []local{{number, "a", false}, {number, "r", false}}, i
	g.budget, g.inFunc = 2, true
	text := "a &= 0xffff\n"
	if f.generic {
		text += "r += len(fmt.Sprintf(\"%T\", p))\n"
	}
	if f.method {
		g.locals = append(g.locals, local{number, "p.X", false})
	}
	text += g.block(2)
	return text + "return " + g.number(2) + "\n"
}

// program returns the Go program, as a package of the given name.
func (nb *notebook) program(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n\t\"fmt\"\n\t\"sort\"\n\t\"strings\"\n\t\"sync\"\n)\n\nvar _ = sort.Ints\nvar _ = strings.Repeat\nvar _ sync.Mutex\n\n%s", name, nb.head)
	for _, k := range nb.consts {
		fmt.Fprintf(&b, "var %s int\n", k.name)
	}
	for _, f := range nb.funcs {
		fmt.Fprintf(&b, "var %sV int\n", f.name)
		body := ""
		for v, text := range f.bodies {
			body += fmt.Sprintf("if %sV == %d {\n%s}\n", f.name, v+1, text)
		}
		b.WriteString(f.declare(body+"panic(\"undefined\")\n") + "\n\n")
	}
	for k := range kinds {
		for n := range varsOfKind {
			fmt.Fprintf(&b, "var %s %s\n", varName(k, n), kindTypes[k])
		}
	}
	for i, c := range nb.cells {
		if i > 0 {
			fmt.Fprintf(&b, "\nfunc cell%d() {\n%s\n}\n", i, c.body)
		}
	}
	b.WriteString("\nfunc Run() {\n")
	for step, i := range nb.runs {
		fmt.Fprintf(&b, "fmt.Println(\"==\", %d)\n", step)
		if i > 0 {
			fmt.Fprintf(&b, "guard(\"cell\", cell%d)\n", i)
		}
	}
	b.WriteString("}\n")
	return b.String()
}
