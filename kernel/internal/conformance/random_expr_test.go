package conformance

import (
	"fmt"
	"strconv"
)

// expr returns a random expression of a kind.
func (g *generator) expr(k kind, depth int) string {
	switch k {
	case text:
		return g.text(depth)
	case list:
		return g.list(depth)
	case table:
		return g.table(depth)
	case pair:
		return g.pair(depth)
	case unary:
		return g.unary(depth)
	}
	return g.number(depth)
}

// variable returns a variable of a kind, or "".
func (g *generator) variable(k kind) string {
	names := append([]string(nil), g.vars[k]...)
	for _, l := range g.locals {
		if l.kind == k {
			names = append(names, l.name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[g.IntN(len(names))]
}

func (g *generator) number(depth int) string {
	if v := g.variable(number); depth <= 0 || g.IntN(4) == 0 {
		if v != "" && g.IntN(3) > 0 {
			return v
		}
		return g.literal()
	}
	d := depth - 1
	switch g.IntN(12) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", g.number(d), []string{"+", "-", "*", "&", "|", "^"}[g.IntN(6)], g.number(d))
	case 2:
		return fmt.Sprintf("(%s %s (%s&7 + 1))", g.number(d), []string{"/", "%"}[g.IntN(2)], g.number(d))
	case 3:
		return fmt.Sprintf("(num(%s) << uint(num(%s)&7))", g.number(d), g.number(d))
	case 4, 5, 6:
		return g.call(d)
	case 7:
		return "len(" + g.expr([]kind{text, list, table}[g.IntN(3)], d) + ")"
	case 8:
		return g.table(d) + "[" + g.text(d) + "]"
	case 9:
		return g.pair(d) + ".X"
	case 10:
		return g.unary(d) + "(" + g.number(d) + ")"
	}
	return fmt.Sprintf("%s(%s, %s)", []string{"min", "max"}[g.IntN(2)], g.number(d), g.number(d))
}

// literal returns a number or a constant of the notebook. In a function literal it returns only
// numbers, since a nested literal may keep a constant's earlier value.
func (g *generator) literal() string {
	if n := len(g.nb.consts); n > 0 && g.IntN(3) == 0 && g.inLit == 0 {
		return g.nb.consts[g.IntN(n)].name
	}
	return strconv.Itoa(g.IntN(40) - 10)
}

// mayCall reports whether the cell may have one more call. It limits the run time of a
// notebook.
func (g *generator) mayCall() bool {
	if g.callee == 0 || g.budget == 0 || g.loops > 1 || g.inFunc && g.loops > 0 {
		return false
	}
	g.budget--
	return true
}

// call returns a call of a function of the notebook.
func (g *generator) call(depth int) string {
	if !g.mayCall() {
		return g.literal()
	}
	f := g.nb.funcs[g.IntN(g.callee)]
	switch {
	case f.generic:
		return fmt.Sprintf("%s(%s, %s)", f.name, g.expr(kind(g.IntN(int(kinds))), depth), g.number(depth))
	case f.method:
		return fmt.Sprintf("%s.%s(%s)", g.pair(depth), f.name, g.number(depth))
	}
	return fmt.Sprintf("%s(%s)", f.name, g.number(depth))
}

func (g *generator) text(depth int) string {
	if v := g.variable(text); depth <= 0 || g.IntN(3) == 0 {
		if v != "" {
			return v
		}
		return strconv.Quote("t" + strconv.Itoa(g.IntN(9)))
	}
	d := depth - 1
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("(%s + %s)[:1]", strconv.Quote("q"), g.text(d))
	case 1:
		return "fmt.Sprint(" + g.expr(kind(g.IntN(int(unary))), d) + ")"
	case 2:
		return g.pair(d) + ".Name"
	}
	return fmt.Sprintf("strings.Repeat(%s, %d)", strconv.Quote("ab"), g.IntN(3))
}

func (g *generator) list(depth int) string {
	if v := g.variable(list); v != "" && (depth <= 0 || g.IntN(2) == 0) {
		return v
	}
	d := depth - 1
	if depth > 0 && g.IntN(2) == 0 {
		return fmt.Sprintf("append([]int(nil), %s, %s)", g.number(d), g.number(d))
	}
	return fmt.Sprintf("[]int{%s, %s}", g.number(d), g.number(d))
}

// listVar returns a list variable or an empty list, for code that only uses its type.
func (g *generator) listVar() string {
	if v := g.variable(list); v != "" {
		return v
	}
	return "[]int{}"
}

func (g *generator) table(depth int) string {
	if v := g.variable(table); v != "" && (depth <= 0 || g.IntN(2) == 0) {
		return v
	}
	return fmt.Sprintf("map[string]int{\"a\": %s, \"b\": %s}", g.number(depth-1), g.number(depth-1))
}

func (g *generator) pair(depth int) string {
	if v := g.variable(pair); v != "" && (depth <= 0 || g.IntN(2) == 0) {
		return v
	}
	return fmt.Sprintf("(point{%s, \"p%d\"})", g.number(depth-1), g.IntN(9))
}

// unary returns a function value: a function literal, which later cells may call, or a function
// of the notebook.
func (g *generator) unary(depth int) string {
	if v := g.variable(unary); v != "" && (depth <= 0 || g.IntN(3) == 0) {
		// Not the variable itself: it may hold a literal that calls the variable.
		return fmt.Sprintf("func(x int) int { return x + %d }", g.IntN(9))
	}
	if g.callee > 0 && g.IntN(2) == 0 {
		if f := g.nb.funcs[g.IntN(g.callee)]; !f.generic && !f.method {
			return f.name
		}
	}
	locals := g.locals
	defer func() { g.locals = locals }()
	g.locals = append(g.locals[:len(g.locals):len(g.locals)], local{number, "x", false})
	return fmt.Sprintf("func(x int) int { return %s }", g.plainNumber(depth-1))
}

// plainNumber returns a number for the body of a function literal. It does not call function
// values, since literals could call each other endlessly.
func (g *generator) plainNumber(depth int) string {
	if depth <= 0 || !g.mayCall() {
		return fmt.Sprintf("(x*%d + %s)", g.IntN(5), g.literal())
	}
	return fmt.Sprintf("(x*%d + %s)", g.IntN(5), g.callWith("x"))
}

// callWith returns a call of a function for the body of a function literal.
func (g *generator) callWith(arg string) string {
	f := g.nb.funcs[g.IntN(g.callee)]
	switch {
	case f.generic:
		return fmt.Sprintf("%s(%s, %s)", f.name, []string{"7", `"lit"`, "1.5"}[g.IntN(3)], arg)
	case f.method:
		return fmt.Sprintf("(point{%s, \"lit\"}).%s(%s)", arg, f.name, arg)
	}
	return fmt.Sprintf("%s(%s)", f.name, arg)
}

func (g *generator) condition(depth int) string {
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("%s < %s", g.number(depth), g.number(depth))
	case 1:
		return fmt.Sprintf("%s == %s", g.text(depth), g.text(depth))
	case 2:
		return fmt.Sprintf("(%s&1 == 0 && %s > 3)", g.number(depth), g.number(depth))
	}
	return fmt.Sprintf("!(%s != %s)", g.pair(depth), g.pair(depth))
}
