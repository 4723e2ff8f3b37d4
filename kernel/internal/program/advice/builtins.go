package advice

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/spelling"
)

// foreignBuiltins maps functions that other languages have without a package to what Go has in their place. ARG stands for the
// source of the first argument.
var foreignBuiltins = map[string]string{
	"isinstance": "v, ok := x.(T) asks for the type of a value in an interface",
	"list":       "var xs []T declares an empty slice, append adds to it",
	"dict":       "m := map[string]int{} is an empty map",
	"set":        "a set is a map, as in m := map[string]bool{}",
	"tuple":      "functions return several values; a struct keeps them",
	"sum":        "write a loop: for _, x := range ARG { total += x }",
	"sorted":     "slices.Sorted(slices.Values(ARG)) returns a sorted copy, slices.Sort(ARG) sorts in place",
	"reversed":   "for _, x := range slices.Backward(ARG) visits the elements in reverse order, slices.Reverse(ARG) reverses in place",
	"enumerate":  "for i, x := range ARG visits all elements with their indexes",
	"zip":        "for i := range ARG visits all indexes",
	"filter":     "write a loop that appends, or write slices.DeleteFunc(ARG, func(x T) bool { … })",
	"any":        "write slices.ContainsFunc(ARG, func(x T) bool { … })",
	"all":        "write !slices.ContainsFunc(ARG, func(x T) bool { … })",
	"open":       "os.ReadFile(ARG) reads a file, os.Open(ARG) opens it",
	"round":      "write math.Round(ARG)",
	"chr":        "write string(rune(ARG))",
	"ord":        "a character in single quotation marks is its number; []rune(ARG)[0] is the number of the first character of a string",
	"hex":        "write fmt.Sprintf(\"%x\", ARG)",
	"bin":        "write fmt.Sprintf(\"%b\", ARG)",
	"oct":        "write fmt.Sprintf(\"%o\", ARG)",
	"repr":       "write fmt.Sprintf(\"%#v\", ARG)",
	"format":     "write fmt.Sprintf",
	"dir":        "ARG? in a cell shows its documentation, %whos lists the variables",
	"help":       "ARG? in a cell shows its documentation, %help lists the directives",
	"exit":       restarts,
	"quit":       restarts,
	"super":      "Go has no inheritance: a struct embeds another",
	"id":         "&x is the address of a variable",
	"divmod":     "write a / b and a % b",
	"parseInt":   "write strconv.Atoi(ARG)",
	"parseFloat": "write strconv.ParseFloat(ARG, 64)",
}

// foreignPackages maps names that other languages use before a dot to what Go has in their place.
var foreignPackages = map[string]string{
	"console": "fmt.Println prints", "System": "fmt.Println prints, package os is the operating system", "Math": "the package is math",
	"std": "the name of a package is enough, as in fmt.Println", "sys": "package os has Args, Stdin, Exit",
	"np": "gonum.org/v1/gonum has matrices and statistics", "pd": "github.com/go-gota/gota/dataframe has tables", "plt": "gonum.org/v1/plot draws",
	"random": "the package is math/rand/v2 with functions such as rand.IntN and rand.Float64", "re": "the package is regexp", "datetime": "the package is time",
	"self": "a method uses the name of its receiver", "this": "a method uses the name of its receiver",
}

// statements maps the names of statements in other languages and IPython to what a cell has in their place.
var statements = map[string]string{
	"ls": "!ls runs the shell command", "pwd": "!pwd runs the shell command", "cd": "%cd changes the folder",
	"whoami": "!whoami runs the shell command", "date": "!date runs the shell command",
	"pass": "an empty block is { }", "exit": restarts, "quit": restarts,
}

const restarts = "%restart starts a new process for the cells; panic ends a cell with an error"

// Package explains the error for a name before a dot that is not declared and is not a package that cells can use
// without an import. members are the names after the dot. packages has the paths of packages by name. exportsAll
// reports whether a package exports all members. Package returns "" if it has no explanation.
func Package(name string, members []string, packages map[string][]string, exportsAll func(path string, members []string) bool) string {
	if text := foreignPackages[name]; text != "" {
		return text
	}
	best, least := "", 3
	for _, known := range slices.Sorted(maps.Keys(packages)) {
		n := spelling.Distance(name, known)
		if n >= least || n >= len(name)-1 {
			continue
		}
		if slices.ContainsFunc(packages[known], func(path string) bool { return exportsAll(path, members) }) {
			best, least = known, n
		}
	}
	return didYouMean(best)
}

// foreign explains an undefined name that another language defines, or returns "".
func (q question) foreign(name string) string {
	if sel, ok := around[*ast.SelectorExpr](q); ok && sel.X.Pos() == q.pos {
		return foreignPackages[name]
	}
	if call, ok := around[*ast.CallExpr](q); ok && call.Fun.Pos() == q.pos {
		if text := foreignBuiltins[name]; text != "" {
			arg := "x"
			if len(call.Args) > 0 {
				arg = types.ExprString(call.Args[0])
			}
			return strings.ReplaceAll(text, "ARG", arg)
		}
		if near := q.inPackage(name); near != "" {
			return didYouMean(near)
		}
		return ""
	}
	if _, ok := around[*ast.AssignStmt](q); ok {
		return ""
	}
	return statements[name]
}

// inPackage returns the function of a common package whose name equals name if case is ignored, or "".
func (q question) inPackage(name string) string {
	if q.Import == nil || len(name) < 2 {
		return ""
	}
	for _, path := range []string{"fmt", "math", "strings", "strconv", "errors", "os", "time"} {
		pkg := q.Import(path)
		if pkg == nil {
			continue
		}
		for _, known := range exported(pkg) {
			if strings.EqualFold(known, name) {
				if _, ok := pkg.Scope().Lookup(known).(*types.Func); ok {
					return path + "." + known
				}
			}
		}
	}
	return ""
}

// untypedParameter explains errors about the names of parameters without types, as in func(x), which Go reads as types.
func (q question) untypedParameter() string {
	f, ok := around[*ast.FuncType](q)
	if !ok || f.Params == nil {
		return ""
	}
	for _, field := range f.Params.List {
		id, ok := field.Type.(*ast.Ident)
		if ok && len(field.Names) == 0 && id.Pos() == q.pos {
			return "if it is a parameter, its type follows it, as in " + mangle.Demangle(id.Name) + " int"
		}
	}
	return ""
}

// label explains errors about an unused label, which Go reads in name: type = value.
func (q question) label() string {
	l, ok := around[*ast.LabeledStmt](q)
	if !ok {
		return ""
	}
	a, ok := l.Stmt.(*ast.AssignStmt)
	if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 || a.Tok != token.ASSIGN || !q.Info.Types[a.Lhs[0]].IsType() {
		return ""
	}
	return "write var " + l.Label.Name + " " + types.ExprString(a.Lhs[0]) + " = " + types.ExprString(a.Rhs[0])
}

// notExported explains errors about a name of a package that begins with a small letter.
func (q question) notExported() string {
	sel, ok := around[*ast.SelectorExpr](q)
	if !ok {
		return ""
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return ""
	}
	return q.packageMember(id.Name, sel.Sel.Name)
}
