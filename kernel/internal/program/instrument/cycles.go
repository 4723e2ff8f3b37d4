package instrument

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sort"

	"golang.org/x/tools/go/cfg"
	"golang.org/x/tools/go/types/typeutil"
)

// endlessCycles returns positions on each cycle of a function that control cannot
// leave: the beginning of a loop's body, or the positions of the gotos to a label. Cycles that
// reach each other count as one.
func endlessCycles(body *ast.BlockStmt, info *types.Info) []token.Pos {
	if !mayCycle(body) {
		return nil
	}
	g := flow{info: info, fixed: fixedVariables(body, info)}
	g.prune(cfg.New(body, func(call *ast.CallExpr) bool {
		_, builtin := typeutil.Callee(info, call).(*types.Builtin)
		id, named := ast.Unparen(call.Fun).(*ast.Ident)
		return !builtin || !named || id.Name != "panic"
	}))
	var list []token.Pos
	covered := map[*cfg.Block]bool{}
	for _, bl := range g.heads() {
		if covered[bl] {
			continue
		}
		cycle := g.closed(bl)
		for c := range cycle {
			covered[c] = true
		}
		if cycle == nil {
			continue
		}
		switch s := bl.Stmt.(type) {
		case *ast.ForStmt:
			list = append(list, s.Body.Lbrace+1)
		case *ast.LabeledStmt:
			list = append(list, gotos(body, s.Label.Name)...)
		}
	}
	return list
}

// mayCycle reports whether a function has a for loop or a goto outside of function literals. Range
// loops do not count: control can leave each of them when the range ends.
func mayCycle(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			found = true
		case *ast.BranchStmt:
			found = found || n.Tok == token.GOTO
		}
		return !found
	})
	return found
}

// gotos returns the positions of the goto statements for a label.
func gotos(body *ast.BlockStmt, label string) []token.Pos {
	var list []token.Pos
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			if n.Tok == token.GOTO && n.Label.Name == label {
				list = append(list, n.Pos())
			}
		}
		return true
	})
	return list
}

// A flow is a function's control flow without the branches that are never taken.
type flow struct {
	info   *types.Info
	fixed  func(v *types.Var, loop ast.Stmt) bool
	blocks []*cfg.Block
	succs  map[*cfg.Block][]*cfg.Block
	preds  map[*cfg.Block][]*cfg.Block
}

// prune records the blocks of c and the edges between them that can be taken.
func (g *flow) prune(c *cfg.CFG) {
	g.succs, g.preds = map[*cfg.Block][]*cfg.Block{}, map[*cfg.Block][]*cfg.Block{}
	for _, bl := range c.Blocks {
		if !bl.Live {
			continue
		}
		g.blocks = append(g.blocks, bl)
		g.succs[bl] = g.taken(bl)
		for _, s := range g.succs[bl] {
			g.preds[s] = append(g.preds[s], bl)
		}
	}
}

// taken returns the successors of a block that are possible: if the compiler knows
// its condition, only one of the two.
func (g *flow) taken(bl *cfg.Block) []*cfg.Block {
	if len(bl.Succs) != 2 || len(bl.Nodes) == 0 {
		return bl.Succs
	}
	cond, ok := bl.Nodes[len(bl.Nodes)-1].(ast.Expr)
	if !ok {
		return bl.Succs
	}
	switch g.truth(cond) {
	case always:
		return bl.Succs[:1]
	case never:
		return bl.Succs[1:]
	}
	if bl.Kind == cfg.KindForLoop && g.invariant(cond, bl.Stmt) {
		return bl.Succs[:1] // a condition that holds once, as in for !done { }, always holds
	}
	return bl.Succs
}

// invariant reports whether a loop cannot change its condition: the condition uses only
// constants and local variables that the loop does not change.
func (g *flow) invariant(cond ast.Expr, loop ast.Stmt) bool {
	fixed := true
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			v, ok := g.info.Uses[n].(*types.Var)
			fixed = fixed && (!ok || g.fixed(v, loop))
		case *ast.CallExpr, *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr, *ast.FuncLit:
			fixed = false
		case *ast.UnaryExpr:
			fixed = fixed && n.Op != token.ARROW
		}
		return fixed
	})
	return fixed
}

// fixedVariables returns a function that reports whether a variable is local to
// body and not changed in a loop. It returns false for a variable whose address is taken
// or that a function literal uses: other code may change it.
func fixedVariables(body *ast.BlockStmt, info *types.Info) func(*types.Var, ast.Stmt) bool {
	changes, shared := map[*types.Var][]token.Pos{}, map[*types.Var]bool{}
	variable := func(x ast.Expr) *types.Var {
		id, ok := ast.Unparen(x).(*ast.Ident)
		if !ok {
			return nil
		}
		v, _ := info.ObjectOf(id).(*types.Var)
		return v
	}
	change := func(x ast.Expr) {
		if x != nil {
			changes[variable(x)] = append(changes[variable(x)], x.Pos())
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				change(x)
			}
		case *ast.IncDecStmt:
			change(n.X)
		case *ast.RangeStmt:
			change(n.Key)
			change(n.Value)
		case *ast.UnaryExpr:
			shared[variable(n.X)] = shared[variable(n.X)] || n.Op == token.AND
		case *ast.FuncLit:
			ast.Inspect(n, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					shared[variable(id)] = true
				}
				return true
			})
		}
		return true
	})
	return func(v *types.Var, loop ast.Stmt) bool {
		if shared[v] || v.Parent() == nil || v.Parent() == v.Pkg().Scope() {
			return false
		}
		for _, pos := range changes[v] {
			if pos >= loop.Pos() && pos < loop.End() && !inInit(loop, pos) {
				return false
			}
		}
		return true
	}
}

// inInit reports whether a position is in the init statement of a loop, which runs once.
func inInit(loop ast.Stmt, pos token.Pos) bool {
	f, ok := loop.(*ast.ForStmt)
	return ok && f.Init != nil && pos >= f.Init.Pos() && pos < f.Init.End()
}

// A truth says whether a condition always holds, never holds, or depends on variables.
type truth int

const (
	depends truth = iota
	always
	never
)

func (t truth) not() truth { return [...]truth{depends: depends, always: never, never: always}[t] }

func truthOf(holds bool) truth {
	if holds {
		return always
	}
	return never
}

// truth evaluates a condition as far as the compiler does so without the values of
// variables.
func (g *flow) truth(x ast.Expr) truth {
	if v := g.info.Types[x].Value; v != nil && v.Kind() == constant.Bool {
		return truthOf(constant.BoolVal(v))
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return g.truth(x.X).not()
		}
	case *ast.BinaryExpr:
		return g.binary(x)
	}
	return depends
}

func (g *flow) binary(x *ast.BinaryExpr) truth {
	switch x.Op {
	case token.LAND, token.LOR:
		decides := truthOf(x.Op == token.LOR)
		a, b := g.truth(x.X), g.truth(x.Y)
		switch {
		case a == decides || b == decides:
			return decides
		case a != depends && b != depends:
			return decides.not()
		}
		return depends
	case token.EQL: // also a case of a switch
		a, b := g.info.Types[x.X].Value, g.info.Types[x.Y].Value
		if a != nil && b != nil && a.Kind() == b.Kind() {
			return truthOf(constant.Compare(a, token.EQL, b))
		}
	case token.GEQ, token.LSS: // x >= 0
		if g.unsigned(x.X) && g.zero(x.Y) {
			return truthOf(x.Op == token.GEQ)
		}
	case token.LEQ, token.GTR: // 0 <= x
		if g.zero(x.X) && g.unsigned(x.Y) {
			return truthOf(x.Op == token.LEQ)
		}
	}
	return depends
}

func (g *flow) zero(x ast.Expr) bool {
	v := g.info.Types[x].Value
	return v != nil && (v.Kind() == constant.Int || v.Kind() == constant.Float) && constant.Sign(v) == 0
}

// unsigned reports whether a value cannot be negative.
func (g *flow) unsigned(x ast.Expr) bool {
	if call, ok := ast.Unparen(x).(*ast.CallExpr); ok {
		if fn, ok := typeutil.Callee(g.info, call).(*types.Builtin); ok && (fn.Name() == "len" || fn.Name() == "cap") {
			return true
		}
	}
	t := g.info.TypeOf(x)
	if t == nil {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsUnsigned != 0
}

// heads lists the first blocks of loop bodies, in the order of the text,
// then the blocks that begin with a label.
func (g *flow) heads() []*cfg.Block {
	var list []*cfg.Block
	for _, bl := range g.blocks {
		if bl.Stmt != nil && (bl.Kind == cfg.KindForBody || bl.Kind == cfg.KindLabel) {
			list = append(list, bl)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		if a, b := list[i], list[j]; a.Kind != b.Kind {
			return a.Kind == cfg.KindForBody
		}
		return list[i].Stmt.Pos() < list[j].Stmt.Pos()
	})
	return list
}

// closed returns the blocks that can be reached from bl if bl can be reached from all of
// them, else nil.
func (g *flow) closed(bl *cfg.Block) map[*cfg.Block]bool {
	ahead, behind := reachable(bl, g.succs), reachable(bl, g.preds)
	for c := range ahead {
		if !behind[c] {
			return nil
		}
	}
	if !ahead[bl] {
		return nil
	}
	return ahead
}

// reachable returns the blocks that can be reached in one or more steps.
func reachable(from *cfg.Block, next map[*cfg.Block][]*cfg.Block) map[*cfg.Block]bool {
	seen := map[*cfg.Block]bool{}
	for todo := []*cfg.Block{from}; len(todo) > 0; todo = todo[1:] {
		for _, s := range next[todo[0]] {
			if !seen[s] {
				seen[s] = true
				todo = append(todo, s)
			}
		}
	}
	return seen
}
