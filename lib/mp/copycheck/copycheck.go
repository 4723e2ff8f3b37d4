// Package copycheck reports variables that are copied by mistake: package variables
// that the program changes, and that are read by a function that package mp sends to a
// child process. The child has a copy of the variable, with the initial value.
//
// The analyzer looks at one package. It finds a sent function if the call that sends it
// contains the function's name or literal. It also follows calls by name from the sent
// function to functions of the same package. The analyzer does not see calls through
// interfaces and func values, writes through pointers, or other packages. So it does not
// find all mistakes, but it makes no false reports. It does not report changes
// that also happen in every child: in init functions, in main before mp.Init, and in
// initializers of pools. It treats the functions of Map, Stream and Submit as sent to
// processes if the package makes pools of processes and no other pools.
//
// Command cmd/copycheck runs the analyzer:
//
//	go install github.com/perijove/perijove/lib/mp/copycheck/cmd/copycheck@latest
//	copycheck ./...
//
// The command also works as a tool for go vet: go vet -vettool=$(which copycheck) ./... .
// Analyzer can be used with any driver of package analysis.
package copycheck

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Analyzer is the analyzer that the package documentation describes.
var Analyzer = &analysis.Analyzer{
	Name:     "copycheck",
	Doc:      "report variables that are changed here and read by a function sent to a process, which does not share them",
	URL:      "https://pkg.go.dev/github.com/perijove/perijove/lib/mp/copycheck",
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
}

const mpPath = "github.com/perijove/perijove/lib/mp"

type checker struct {
	pass    *analysis.Pass
	uses    map[*types.Func]*use
	pools   bool                 // every pool of the package runs processes
	started map[*types.Func]bool // functions that every child calls, too: from main before Init, and initializers
	sent    []ast.Expr           // functions that go to processes
	away    map[*types.Func]bool // functions that this package only sends, and never calls itself
}

func run(pass *analysis.Pass) (any, error) {
	in := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	c := &checker{pass: pass, uses: make(map[*types.Func]*use), started: make(map[*types.Func]bool)}
	var bodies []*ast.FuncDecl
	in.Preorder([]ast.Node{(*ast.FuncDecl)(nil)}, func(n ast.Node) {
		d := n.(*ast.FuncDecl)
		if f, ok := pass.TypesInfo.Defs[d.Name].(*types.Func); ok && d.Body != nil {
			bodies = append(bodies, d)
			c.uses[f] = c.useOf(d.Body, c.initCall(d.Body))
		}
	})
	var calls []*ast.CallExpr
	in.Preorder([]ast.Node{(*ast.CallExpr)(nil)}, func(n ast.Node) { calls = append(calls, n.(*ast.CallExpr)) })
	c.pools = c.onlyProcessPools(calls)
	for _, d := range bodies {
		if at := c.initCall(d.Body); at.IsValid() {
			c.start(c.useBetween(d.Body, d.Body.Pos(), at).calls)
		}
	}
	for _, call := range calls {
		if c.mpFunc(call) == "Initializer" && len(call.Args) > 0 {
			if f := c.named(call.Args[0]); f != nil {
				c.start(map[*types.Func]bool{f: true})
			}
		}
	}
	for _, call := range calls {
		if at := c.sentArgument(call); at >= 0 && at < len(call.Args) {
			c.sent = append(c.sent, call.Args[at])
		}
	}
	c.findAway()
	for _, e := range c.sent {
		c.check(e)
	}
	return nil, nil
}

// mpFunc returns the name of the function of package mp that is called, or "".
func (c *checker) mpFunc(call *ast.CallExpr) string {
	f := typeutil.StaticCallee(c.pass.TypesInfo, call)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != mpPath || f.Signature().Recv() != nil {
		return ""
	}
	return f.Name()
}

// sentArgument returns the index of the argument of a call that is sent to a process,
// or -1.
func (c *checker) sentArgument(call *ast.CallExpr) int {
	switch c.mpFunc(call) {
	case "Start", "Go":
		if len(call.Args) > 2 && c.isProcesses(call.Args[1]) {
			return 2
		}
	case "Map", "ForEach", "Stream", "StreamUnordered", "Submit":
		if c.pools {
			return 2
		}
	}
	return -1
}

func (c *checker) onlyProcessPools(calls []*ast.CallExpr) bool {
	made := false
	for _, call := range calls {
		if c.mpFunc(call) == "NewPool" && len(call.Args) > 0 {
			if !c.isProcesses(call.Args[0]) {
				return false
			}
			made = true
		}
	}
	return made
}

// isProcesses reports whether e is the constant mp.Processes.
func (c *checker) isProcesses(e ast.Expr) bool {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return false
	}
	k, ok := c.pass.TypesInfo.Uses[id].(*types.Const)
	return ok && k.Pkg() != nil && k.Pkg().Path() == mpPath && k.Name() == "Processes"
}

// initCall returns the position of the call of mp.Init in body, or token.NoPos.
func (c *checker) initCall(body ast.Node) (at token.Pos) {
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && c.mpFunc(call) == "Init" {
			at = call.Pos()
		}
		return true
	})
	return at
}

// findAway finds the functions that run only in children.
func (c *checker) findAway() {
	c.away = make(map[*types.Func]bool)
	for _, e := range c.sent {
		if f := c.named(e); f != nil && !f.Exported() && f.Signature().Recv() == nil {
			c.away[f] = true
		}
	}
	for id, o := range c.pass.TypesInfo.Uses {
		if f, ok := o.(*types.Func); ok && c.away[f.Origin()] && !c.isSent(id.Pos()) {
			delete(c.away, f.Origin())
		}
	}
}

// isSent reports whether pos lies in an argument that is sent.
func (c *checker) isSent(pos token.Pos) bool {
	return slices.ContainsFunc(c.sent, func(e ast.Expr) bool { return e.Pos() <= pos && pos < e.End() })
}

// start records the functions, and those that they call, as called in every child.
func (c *checker) start(functions map[*types.Func]bool) {
	for f := range functions {
		for g := range c.reachable(f) {
			c.started[g] = true
		}
	}
}

// check reports the changed variables that the function sent by e reads.
func (c *checker) check(e ast.Expr) {
	reads, there, name := map[*types.Var]bool{}, map[*types.Func]bool{}, ""
	if f := c.named(e); f != nil {
		there, name = c.reachable(f), f.Name()
	} else if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		u := c.useOf(lit.Body, token.NoPos)
		name, reads = "the function", u.reads
		for f := range u.calls {
			for g := range c.reachable(f) {
				there[g] = true
			}
		}
	}
	for v := range c.readsOf(there) {
		reads[v] = true
	}
	var names []string
	for v := range reads {
		if pos := c.changedOutside(v, there); pos.IsValid() {
			names = append(names, v.Name()+" (changed in "+c.line(pos, e)+")")
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		c.pass.Reportf(e.Pos(), "%s is sent to a process and reads %s; the process has its own copy, with the initial value: pass the value as the argument, or share an mp.Value",
			name, strings.Join(names, ", "))
	}
}

// line returns a name for the line of pos, and adds the file name if e is in another file
// than pos.
func (c *checker) line(pos token.Pos, e ast.Expr) string {
	at, here := c.pass.Fset.Position(pos), c.pass.Fset.Position(e.Pos())
	if at.Filename == here.Filename {
		return "line " + strconv.Itoa(at.Line)
	}
	return filepath.Base(at.Filename) + ":" + strconv.Itoa(at.Line)
}

// named returns the function of this package that e names, or nil.
func (c *checker) named(e ast.Expr) *types.Func {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	case *ast.IndexExpr:
		return c.named(e.X)
	case *ast.IndexListExpr:
		return c.named(e.X)
	default:
		return nil
	}
	f, ok := c.pass.TypesInfo.Uses[id].(*types.Func)
	if !ok || c.uses[f.Origin()] == nil {
		return nil
	}
	return f.Origin()
}

// changedOutside returns the first place where the parent changes v, or token.NoPos. It
// ignores functions in the set there, functions that every child calls, and functions that
// run only in children.
func (c *checker) changedOutside(v *types.Var, there map[*types.Func]bool) token.Pos {
	first := token.NoPos
	for f, u := range c.uses {
		if there[f] || c.started[f] || c.away[f] || f.Name() == "init" {
			continue
		}
		for _, pos := range u.writes[v] {
			if !c.isSent(pos) && (first == token.NoPos || pos < first) {
				first = pos
			}
		}
	}
	return first
}
