// Package copycheck finds silent copies: a package variable that the program
// changes, read by a function that is sent to a child process with package mp.
// The child has a variable of its own, and sees the initial value.
//
// It looks at one package: at functions that are named where they are sent,
// and at what they call by name in the same package. It does not see calls
// through interfaces and func values, writes through pointers, or what other
// packages do, so that silence proves nothing; what it reports is so. A pool
// is taken to be one of processes if the package makes no other.
package copycheck

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Analyzer is the check.
var Analyzer = &analysis.Analyzer{
	Name:     "copycheck",
	Doc:      "report variables that are changed here and read by a function sent to a process, which does not share them",
	URL:      "https://pkg.go.dev/github.com/perijove/perijove/lib/mp/copycheck",
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
}

const mpPath = "github.com/perijove/perijove/lib/mp"

// A use is what one function does with package variables and functions.
type use struct {
	reads  map[*types.Var]bool
	writes map[*types.Var]token.Pos
	calls  map[*types.Func]bool
}

type checker struct {
	pass  *analysis.Pass
	uses  map[*types.Func]*use
	pools bool // every pool is one of processes
}

func run(pass *analysis.Pass) (any, error) {
	in := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	c := &checker{pass: pass, uses: make(map[*types.Func]*use)}
	in.Preorder([]ast.Node{(*ast.FuncDecl)(nil)}, func(n ast.Node) {
		d := n.(*ast.FuncDecl)
		if f, ok := pass.TypesInfo.Defs[d.Name].(*types.Func); ok && d.Body != nil {
			c.uses[f] = c.useOf(d.Body)
		}
	})
	var calls []*ast.CallExpr
	in.Preorder([]ast.Node{(*ast.CallExpr)(nil)}, func(n ast.Node) { calls = append(calls, n.(*ast.CallExpr)) })
	c.pools = c.onlyProcessPools(calls)
	for _, call := range calls {
		if at := c.sentArgument(call); at >= 0 && at < len(call.Args) {
			c.check(call.Args[at])
		}
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

// sentArgument returns which argument of a call goes to a process, or -1.
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

// useOf collects what a body does.
func (c *checker) useOf(body ast.Node) *use {
	u := &use{map[*types.Var]bool{}, map[*types.Var]token.Pos{}, map[*types.Func]bool{}}
	written := map[*ast.Ident]bool{} // by a plain assignment, which reads nothing
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				c.write(u, left)
				if id, ok := ast.Unparen(left).(*ast.Ident); ok && n.Tok == token.ASSIGN {
					written[id] = true
				}
			}
		case *ast.IncDecStmt:
			c.write(u, n.X)
		case *ast.Ident:
			switch o := c.pass.TypesInfo.Uses[n].(type) {
			case *types.Var:
				if c.isPackageVar(o) && !written[n] {
					u.reads[o] = true
				}
			case *types.Func:
				u.calls[o.Origin()] = true
			}
		}
		return true
	})
	return u
}

// write notes an assignment to a package variable, or to a part of one.
func (c *checker) write(u *use, e ast.Expr) {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			if v, ok := c.pass.TypesInfo.Uses[x].(*types.Var); ok && c.isPackageVar(v) {
				u.writes[v] = x.Pos()
			}
			return
		default:
			return
		}
	}
}

func (c *checker) isPackageVar(v *types.Var) bool {
	return v.Pkg() == c.pass.Pkg && v.Parent() == c.pass.Pkg.Scope()
}

// check reports the changed variables that the function sent by e reads.
func (c *checker) check(e ast.Expr) {
	f := c.named(e)
	if f == nil {
		return
	}
	there := c.reachable(f)
	var names []string
	for v := range c.readsOf(there) {
		if pos := c.changedOutside(v, there); pos.IsValid() {
			names = append(names, v.Name()+" (changed in line "+c.line(pos)+")")
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		c.pass.Reportf(e.Pos(), "%s is sent to a process and reads %s; the process has its own, with the initial value: pass the value as the argument, or share an mp.Value",
			f.Name(), strings.Join(names, ", "))
	}
}

func (c *checker) line(pos token.Pos) string {
	full := c.pass.Fset.Position(pos).String()
	parts := strings.Split(full, ":")
	return parts[len(parts)-2]
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

// reachable returns f and what it calls by name in this package.
func (c *checker) reachable(f *types.Func) map[*types.Func]bool {
	seen := map[*types.Func]bool{}
	for todo := []*types.Func{f}; len(todo) > 0; todo = todo[1:] {
		if f := todo[0]; !seen[f] && c.uses[f] != nil {
			seen[f] = true
			for g := range c.uses[f].calls {
				todo = append(todo, g)
			}
		}
	}
	return seen
}

func (c *checker) readsOf(functions map[*types.Func]bool) map[*types.Var]bool {
	reads := map[*types.Var]bool{}
	for f := range functions {
		for v := range c.uses[f].reads {
			reads[v] = true
		}
	}
	return reads
}

// changedOutside returns where v is changed by a function that is not among
// those that run in the child. What init functions do happens in the child too.
func (c *checker) changedOutside(v *types.Var, there map[*types.Func]bool) token.Pos {
	first := token.NoPos
	for f, u := range c.uses {
		if pos, ok := u.writes[v]; ok && !there[f] && f.Name() != "init" && (first == token.NoPos || pos < first) {
			first = pos
		}
	}
	return first
}
