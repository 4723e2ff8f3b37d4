package check

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// clean rewrites a message of the type checker or the compiler for users, and adds the
// cause if the notebook's state shows it.
func (c *Checker) clean(msg string) string { return c.Explain(c.wording(msg)) }

// wording rewrites a message for users: it replaces generated names and functions, and puts the positions of other
// declarations on the same line.
func (c *Checker) wording(msg string) string {
	if strings.HasPrefix(msg, "cannot assign to "+symtab.ContextFunc) {
		msg = "cannot assign to ctx, the cell's context; ctx := … declares a variable of that name"
	}
	msg = mangle.Demangle(strings.ReplaceAll(ownCalls(msg), symtab.ContextFunc+"()", symtab.ContextName))
	for {
		// "\tCell [1]:2:3: other declaration of x"
		i := strings.Index(msg, "\n\tCell [")
		if i < 0 {
			break
		}
		rest := msg[i+2:]
		at, what, ok := strings.Cut(rest, ": ")
		name, pos, ok2 := strings.Cut(at, "]:")
		if !ok || !ok2 {
			break
		}
		msg = msg[:i] + " (" + name + "] line " + pos + ": " + what + ")"
	}
	return msg
}

// Messages about the generated call around a cell's last expression, which shows it.
var (
	ownArgument = regexp.MustCompile(` in argument to ` + ownNames)
	ownInfer    = regexp.MustCompile(`^in call to ` + ownNames + `, cannot infer .*`)
	ownNames    = `(?:` + emit.DiscardName + `|` + emit.ShowName + `|` + emit.ShowErrName + `)`
)

// cellReturns replaces Go's error about a value after return in a cell's statements.
const cellReturns = "a cell cannot return a value: return alone ends the cell, panic(err) ends it with an error, " +
	"and the cell shows an expression at its end"

// noPlace is the type checker's text for a declaration without a position, as in a package's export data.
const noPlace = " (declared at -)"

// ownCalls rewrites messages about generated calls, which the cell does not contain.
func ownCalls(msg string) string {
	if ownInfer.MatchString(msg) {
		return "a generic function is not a value without its type arguments, as in f[int]"
	}
	return strings.ReplaceAll(ownArgument.ReplaceAllString(msg, ""), noPlace, "")
}

// withoutEchoes removes faults that only follow from others: "imported and not used" for generated imports. The type checker
// reports these if it stops at another error before it reaches the use. If list has no other faults, withoutEchoes
// returns all of them.
func withoutEchoes(list []Fault) []Fault {
	echo := func(f Fault) bool {
		return f.Err.Pos.Line == 0 && strings.Contains(f.Err.Msg, " imported ") && strings.HasSuffix(f.Err.Msg, " and not used")
	}
	if !slices.ContainsFunc(list, func(f Fault) bool { return !echo(f) }) {
		return list
	}
	return slices.DeleteFunc(list, echo)
}

// nameImports replaces the quoted paths of imported packages in messages by the packages' names. The type checker writes
// the path if a package that is imported only by other packages has the same name.
func nameImports(r *Result) {
	number := map[string]int{}
	for _, p := range r.Pkg.Imports() {
		number[p.Name()]++
	}
	var pairs []string
	for _, p := range r.Pkg.Imports() {
		if number[p.Name()] == 1 {
			pairs = append(pairs, strconv.Quote(p.Path())+".", p.Name()+".")
		}
	}
	paths := strings.NewReplacer(pairs...)
	for _, f := range r.Faults {
		f.Err.Msg = paths.Replace(f.Err.Msg)
	}
}
