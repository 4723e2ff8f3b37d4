package cell

import (
	"go/ast"
	"go/token"
)

// A Loop describes a statement that %timeit repeats. The Text of its Stmt is a block whose first part runs once and
// whose second part is repeated. Offsets in a Loop are offsets in this Text.
type Loop struct {
	Loops, Runs int // the options -n (loops) and -r (runs); 0 to choose automatically
	Body, End   int // range of the repeated part of the block
	// Bench says that package testing repeats the statement, for %%bench. Report is the file for the results; the
	// parser does not set it.
	Bench  bool
	Report string
	// Vars are the local variables that the statements of the block declare or assign to. The statements of nested
	// blocks do not count.
	Vars []Ref
	// Kept are the values that the block does not use, in the order in which Unused returns them.
	Kept []Value
	// Own says that the block has a defer or return statement, so the repeated part must be a function.
	Own bool
	// Jumps says that the block has a goto statement. A goto must not jump over a variable declaration.
	Jumps bool
}

// A Value describes an UnusedValue by offsets. Its Span is the range of the expression.
type Value struct {
	Span
	Start int  // offset of the statement
	Call  bool // the expression is a call or receive; a call may have no value, or several
}

func (p *parse) loop(block *ast.BlockStmt, t *timedText) *Loop {
	start := block.Pos()
	off := func(pos token.Pos) int { return int(pos - start) }
	l := &Loop{Loops: t.loops, Runs: t.runs, Bench: t.bench, Body: t.body - p.off(start), End: off(block.Rbrace)}
	seen := map[string]bool{}
	for _, s := range block.List {
		for _, id := range p.assigned(s) {
			if id.Name != "_" && !seen[id.Name] {
				seen[id.Name] = true
				l.Vars = append(l.Vars, Ref{Name: id.Name, Off: off(id.Pos())})
			}
		}
	}
	for _, u := range Unused(block.List) {
		l.Kept = append(l.Kept, Value{Span{off(u.X.Pos()), off(u.X.End())}, off(u.Stmt.Pos()), u.Call})
	}
	ast.Inspect(block, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt:
			l.Own = true
		case *ast.BranchStmt:
			l.Jumps = l.Jumps || n.Tok == token.GOTO
		}
		return true
	})
	return l
}

// assigned lists the local variables that a statement declares or
// assigns to.
func (p *parse) assigned(s ast.Stmt) []*ast.Ident {
	var out []*ast.Ident
	local := func(x ast.Expr) {
		id, ok := x.(*ast.Ident)
		if ok && id.Obj != nil && !p.inEntry[id.Obj] && p.file.Scope.Lookup(id.Name) != id.Obj {
			out = append(out, id)
		}
	}
	switch s := s.(type) {
	case *ast.AssignStmt:
		for _, x := range s.Lhs {
			local(x)
		}
	case *ast.IncDecStmt:
		local(s.X)
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && s.Decl.(*ast.GenDecl).Tok == token.VAR {
				out = append(out, v.Names...)
			}
		}
	}
	return out
}

// An UnusedValue is an expression that is used as a statement, or is assigned to
// the blank identifier.
type UnusedValue struct {
	Stmt ast.Stmt
	X    ast.Expr
	Call bool // X is a call or receive; a call may have no value, or several
}

// Unused lists the unused values in statements and in the blocks nested in them. It lists only statements after which
// another statement can be inserted. So it omits statements in the headers of if, for and switch.
func Unused(list []ast.Stmt) []UnusedValue {
	var out []UnusedValue
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			out = append(out, UnusedValue{s, s.X, isCall(s.X)})
		case *ast.AssignStmt:
			if id, ok := s.Lhs[0].(*ast.Ident); ok && id.Name == "_" && len(s.Lhs)+len(s.Rhs) == 2 && s.Tok == token.ASSIGN {
				out = append(out, UnusedValue{s, s.Rhs[0], false})
			}
		default:
			out = append(out, Unused(nested(s))...)
		}
	}
	return out
}

// nested lists the statements in the blocks of a statement.
func nested(s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *ast.BlockStmt:
		return s.List
	case *ast.IfStmt:
		if s.Else != nil {
			return append(s.Body.List[:len(s.Body.List):len(s.Body.List)], s.Else)
		}
		return s.Body.List
	case *ast.ForStmt:
		return s.Body.List
	case *ast.RangeStmt:
		return s.Body.List
	case *ast.SwitchStmt:
		return s.Body.List
	case *ast.TypeSwitchStmt:
		return s.Body.List
	case *ast.SelectStmt:
		return s.Body.List
	case *ast.CaseClause:
		return s.Body
	case *ast.CommClause:
		return s.Body
	case *ast.LabeledStmt:
		return nested(s.Stmt)
	}
	return nil
}
