package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// varsOfKind is the maximum number of variables of each kind in a notebook.
const varsOfKind = 3

func varName(k kind, n int) string { return fmt.Sprintf("%c%d", "nslmpu"[k], n) }

// topStatement returns a statement at the top level of a cell. In the program, which declares
// all variables at its beginning, := and var become assignments.
func (g *generator) topStatement() string {
	g.locals = nil
	if g.IntN(3) == 0 || len(g.vars[number]) == 0 {
		return g.define()
	}
	return g.statement(3)
}

// define returns a statement that declares or assigns a variable of the notebook.
func (g *generator) define() string {
	k := kind(g.IntN(int(kinds)))
	if len(g.vars[number]) == 0 {
		k = number
	}
	name := varName(k, g.IntN(varsOfKind))
	value := g.expr(k, 3)
	if !slices.Contains(g.vars[k], name) {
		g.vars[k] = append(g.vars[k], name)
	}
	op := defines
	if g.made[name] {
		op = "="
	}
	g.made[name] = true
	return name + " " + op + " " + value
}

// defines is a placeholder for the := of a variable of the notebook.
const defines = "«:=»"

// statement returns a random statement with a nesting of at most depth.
func (g *generator) statement(depth int) string {
	if depth <= 0 {
		return g.assign()
	}
	switch g.IntN(16) {
	case 0, 1, 2:
		return g.assign()
	case 3:
		return fmt.Sprintf("if %s {\n%s} else {\n%s}", g.condition(depth-1), g.block(depth-1), g.block(depth-1))
	case 4, 5:
		return g.loop(depth - 1)
	case 6:
		return fmt.Sprintf("switch %s %% 3 {\ncase 0:\n%scase 1, -1:\n%sfallthrough\ndefault:\n%s}", g.number(depth-1), g.block(depth-1), g.block(depth-1), g.block(depth-1))
	case 7:
		return g.guarded(depth - 1)
	case 8:
		return g.goroutines(depth - 1)
	case 9:
		return g.typeSwitch(depth - 1)
	case 10:
		return fmt.Sprintf("fmt.Println(%s, %s)", g.expr(kind(g.IntN(int(unary))), depth-1), g.expr(kind(g.IntN(int(unary))), depth-1))
	case 11:
		return g.selects(depth - 1)
	case 12:
		return g.closures(depth - 1)
	case 13:
		return g.ranges(depth - 1)
	case 14:
		return g.jump(depth - 1)
	}
	return "{\n" + g.block(depth-1) + "}"
}

// block returns statements with local variables.
func (g *generator) block(depth int) string {
	locals := g.locals
	defer func() { g.locals = locals }()
	var b strings.Builder
	for range 1 + g.IntN(2) {
		if g.IntN(3) == 0 {
			b.WriteString(g.local(depth))
		} else {
			b.WriteString(g.statement(depth) + "\n")
		}
	}
	return b.String()
}

// local returns a declaration of a local variable.
func (g *generator) local(depth int) string {
	k := kind(g.IntN(int(kinds)))
	value := g.expr(k, depth)
	name := g.name()
	g.locals = append(g.locals[:len(g.locals):len(g.locals)], local{k, name, false})
	return fmt.Sprintf("%s := %s\n_ = %s\n", name, value, name)
}

func (g *generator) name() string {
	g.fresh++
	return fmt.Sprint("v", g.fresh)
}

// assign returns an assignment to a variable.
func (g *generator) assign() string {
	k := kind(g.IntN(int(kinds)))
	targets := g.targets(k)
	if len(targets) == 0 {
		k, targets = number, g.targets(number)
	}
	if len(targets) == 0 {
		return "fmt.Println(\"nothing\")"
	}
	x := targets[g.IntN(len(targets))]
	switch {
	case k == number && g.IntN(2) == 0:
		return fmt.Sprintf("%s %s %s", x, []string{"+=", "-=", "^="}[g.IntN(3)], g.number(1))
	case k == table && g.IntN(2) == 0:
		return fmt.Sprintf("if %s != nil {\n%s[%s] = %s\n}", x, x, g.text(1), g.number(1))
	case k == pair && g.IntN(2) == 0:
		return fmt.Sprintf("%s.X = %s", x, g.number(1))
	case k == list && g.IntN(2) == 0:
		return fmt.Sprintf("%s = append(%s, %s)", x, x, g.number(1))
	}
	return x + " = " + g.expr(k, 1)
}

// targets lists the variables of a kind to which the code may assign.
func (g *generator) targets(k kind) []string {
	var list []string
	if !g.inFunc { // assignments in functions would make results depend on the order of evaluation
		list = slices.Clone(g.vars[k])
	}
	for _, l := range g.locals {
		if l.kind == k && !l.fixed {
			list = append(list, l.name)
		}
	}
	return list
}

func (g *generator) with(k kind, name string, f func() string) string {
	locals := g.locals
	defer func() { g.locals = locals }()
	g.locals = append(g.locals[:len(g.locals):len(g.locals)], local{k, name, true})
	return f()
}

// inLoop returns the body of a loop with a loop variable.
func (g *generator) inLoop(variable string, depth int) string {
	g.loops++
	defer func() { g.loops-- }()
	return "_ = " + variable + "\n" + g.with(number, variable, func() string { return g.block(depth) })
}

func (g *generator) loop(depth int) string {
	i := g.name()
	body := g.inLoop(i, depth)
	leave := []string{"", fmt.Sprintf("if %s == 2 {\nbreak\n}\n", i), fmt.Sprintf("if %s == 1 {\ncontinue\n}\n", i)}[g.IntN(3)]
	if g.IntN(2) == 0 {
		return fmt.Sprintf("for %s := range %d {\n%s%s}", i, 1+g.IntN(4), leave, body)
	}
	return fmt.Sprintf("for %s := 0; %s < %d; %s++ {\n%s%s}", i, i, 1+g.IntN(4), i, leave, body)
}

// guarded returns code that may panic, with a recover.
func (g *generator) guarded(depth int) string {
	g.inLit++
	defer func() { g.inLit-- }()
	fault := []string{
		"var m map[string]int\nm[\"x\"] = 1\n",
		fmt.Sprintf("_ = []int{1, 2}[num(%s) & 7 + 2]\n", g.number(1)),
		fmt.Sprintf("_ = 1 / (num(%s) & 0)\n", g.number(1)),
		"var x any = point{}\n_ = x.(string)\n",
		fmt.Sprintf("panic(fmt.Sprint(\"own \", %s))\n", g.number(1)),
		"",
	}[g.IntN(6)]
	return fmt.Sprintf("guard(\"g\", func() {\ndefer fmt.Println(\"deferred\", %s)\n%s%s})", g.number(1), g.block(depth), fault)
}

// goroutines returns code that adds numbers which goroutines send in any order.
func (g *generator) goroutines(int) string {
	sum := g.name()
	return fmt.Sprintf("{\nc := make(chan int, 4)\nvar wg sync.WaitGroup\nfor i := range 4 {\nwg.Go(func() { c <- i*%d + 1 })\n}\nwg.Wait()\nclose(c)\n%s := 0\nfor x := range c {\n%s += x\n}\nfmt.Println(\"sum\", %s)\n}",
		g.IntN(9), sum, sum, sum)
}

func (g *generator) typeSwitch(depth int) string {
	return fmt.Sprintf("switch x := any(%s).(type) {\ncase int:\nfmt.Println(\"int\", x)\ncase string, []int:\nfmt.Printf(\"%%T %%v\\n\", x, x)\ncase point:\nx.move(1)\nfmt.Println(x.X)\ndefault:\nfmt.Printf(\"%%T\\n\", x)\n}",
		g.expr(kind(g.IntN(int(kinds))), depth))
}

func (g *generator) selects(depth int) string {
	return fmt.Sprintf("{\nc, d := make(chan int, 1), make(chan string)\nif %s {\nc <- %s\n}\nselect {\ncase x := <-c:\nfmt.Println(\"got\", x)\ncase x := <-d:\nfmt.Println(x)\ndefault:\nfmt.Println(\"none\")\n}\n}",
		g.condition(depth), g.number(depth))
}

// closures returns code that makes closures with shared variables, and calls them.
func (g *generator) closures(depth int) string {
	n, fs := g.name(), g.name()
	body := g.with(number, n, func() string { return g.number(depth) })
	return fmt.Sprintf("{\n%s := %s\nvar %s []func() int\nfor i := range 3 {\n%s = append(%s, func() int { %s += i; return %s })\n}\nfor _, f := range %s {\nfmt.Println(f())\n}\n}",
		n, g.number(depth), fs, fs, fs, n, body, fs)
}

// ranges returns a range loop over a function, a map or a slice.
func (g *generator) ranges(depth int) string {
	i, s := g.name(), g.name()
	switch g.IntN(3) {
	case 0:
		body := g.inLoop(i, depth)
		return fmt.Sprintf("for %s, %s := range each(%d) {\nif %s == \"s2\" {\nbreak\n}\n%s}", i, s, 1+g.IntN(4), s, body)
	case 1:
		return fmt.Sprintf("{\nvar keys []string\nfor k := range %s {\nkeys = append(keys, k)\n}\nsort.Strings(keys)\nfmt.Println(keys)\n}", g.table(depth))
	}
	body := g.inLoop(i, depth)
	return fmt.Sprintf("for _, %s := range %s[:0:0] {\n%s}", i, g.listVar(), body)
}

// jump returns a loop with goto, or nested loops with break and continue to a label.
func (g *generator) jump(depth int) string {
	n, label := g.name(), "L"+g.name()
	if g.IntN(2) == 0 {
		return fmt.Sprintf("{\n%s := 0\n%s:\n%s++\nif %s < %d {\ngoto %s\n}\nfmt.Println(%s)\n}", n, label, n, n, 1+g.IntN(4), label, n)
	}
	body := g.inLoop(n, depth)
	return fmt.Sprintf("%s:\nfor %s := range 3 {\nfor {\n%sif %s == 1 {\nbreak %s\n}\ncontinue %s\n}\n}", label, n, body, n, label, label)
}
