package cell

import (
	"fmt"
	"go/ast"
	"go/token"
)

func (p *parse) statements(list []ast.Stmt) {
	for _, s := range list {
		p.declareTop(s)
	}
	for _, s := range list {
		switch s := s.(type) {
		case *ast.EmptyStmt:
		case *ast.DeclStmt:
			decl := s.Decl.(*ast.GenDecl)
			for _, spec := range decl.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					p.varStmt(v, embedPatterns(decl, v))
				}
			}
		default:
			p.stmt(s)
			p.cell.Result = -1
			if n := len(p.cell.Stmts) - 1; p.cell.Stmts[n].Expr != nil {
				p.cell.Result = n
			}
		}
	}
}

// declareTop notes the objects that a statement at the top level of a cell declares.
func (p *parse) declareTop(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.LabeledStmt:
		p.declareTop(s.Stmt)
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			return
		}
		for _, x := range s.Lhs {
			if id, ok := x.(*ast.Ident); ok && id.Obj != nil {
				p.inEntry[id.Obj] = true
			}
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					p.inEntry[id.Obj] = id.Obj != nil
				}
			}
		}
	}
}

func (p *parse) varStmt(v *ast.ValueSpec, embed string) {
	out := &Stmt{Source: p.source(v.Pos(), v.End()), Define: -1, Var: varSpec(v), Embed: embed}
	out.Names = names(v.Names, v.Pos())
	for _, id := range v.Names {
		out.New = append(out.New, id.Name != "_")
	}
	p.refs(v, v.Pos(), &out.Source)
	out.literals(v, v.Pos())
	out.Ancestors = localAncestors(v)
	p.take(out, p.off(v.Pos()))
	p.cell.Stmts = append(p.cell.Stmts, out)
}

func (p *parse) stmt(s ast.Stmt) {
	if args := listOf(s); args != nil {
		p.list(args)
		return
	}
	start := s.Pos()
	out := &Stmt{Source: p.source(start, s.End()), Define: -1}
	inner := s
	for {
		l, ok := inner.(*ast.LabeledStmt)
		if !ok {
			break
		}
		inner = l.Stmt
	}
	switch x := inner.(type) {
	case *ast.AssignStmt:
		if x.Tok == token.DEFINE {
			out.Define = int(x.TokPos - start)
			p.defines(out, x, start)
		}
		if x.Tok == token.ASSIGN {
			for _, lhs := range x.Lhs {
				if id, ok := lhs.(*ast.Ident); ok {
					out.Assigned = append(out.Assigned, id.Name)
				}
			}
		}
	case *ast.ExprStmt:
		out.Expr = &Span{int(x.X.Pos() - start), int(x.X.End() - start)}
		out.Call = isCall(x.X)
	}
	p.refs(s, start, &out.Source)
	out.literals(s, start)
	out.Ancestors = localAncestors(s)
	p.take(out, p.off(start))
	if block, ok := s.(*ast.BlockStmt); ok {
		if t := p.repeatedAt(p.off(start)); t != nil {
			out.Loop = p.loop(block, t)
		}
	}
	p.cell.Stmts = append(p.cell.Stmts, out)
}

// listOf returns the expressions of a list that putList wrote, or nil for other statements.
func listOf(s ast.Stmt) []ast.Expr {
	x, ok := s.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := x.X.(*ast.CallExpr)
	if !ok {
		return nil
	}
	if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != listName {
		return nil
	}
	return call.Args
}

// list adds one statement for a list of expressions.
func (p *parse) list(args []ast.Expr) {
	start, end := args[0].Pos(), args[len(args)-1].End()
	out := &Stmt{Source: p.source(start, end), Define: -1, Expr: &Span{0, int(end - start)}}
	p.take(out, p.off(start))
	all := &ast.CompositeLit{Elts: args}
	p.refs(all, start, &out.Source)
	out.literals(all, start)
	out.Ancestors = localAncestors(all)
	p.cell.Stmts = append(p.cell.Stmts, out)
}

func (p *parse) defines(out *Stmt, x *ast.AssignStmt, start token.Pos) {
	for _, lhs := range x.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			continue
		}
		out.Names = append(out.Names, Ref{Name: id.Name, Off: int(id.Pos() - start)})
		out.New = append(out.New, id.Obj != nil && id.Obj.Pos() == id.Pos())
	}
	for _, v := range x.Rhs {
		out.Values = append(out.Values, Span{int(v.Pos() - start), int(v.End() - start)})
	}
}

// literals notes the function literals in n, except those that are called
// immediately, and the selected names that may be method values.
func (s *Source) literals(n ast.Node, start token.Pos) {
	s.outermost(n, start)
	called := map[ast.Expr]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			called[ast.Unparen(n.Call.Fun)] = false // it may still run when the statement has ended
		case *ast.CallExpr:
			if _, started := called[ast.Unparen(n.Fun)]; !started {
				called[ast.Unparen(n.Fun)] = true
			}
		case *ast.SelectorExpr:
			if _, isCalled := called[n]; !isCalled {
				s.Methods = append(s.Methods, n.Sel.Name)
			}
		case *ast.FuncLit:
			if called[n] {
				return true
			}
			s.literal(n, start)
			return false
		}
		return true
	})
}

// outermost notes the function literals in n that are not inside another literal.
func (s *Source) outermost(n ast.Node, start token.Pos) {
	ast.Inspect(n, func(x ast.Node) bool {
		lit, ok := x.(*ast.FuncLit)
		if ok {
			span := Span{int(lit.Pos() - start), int(lit.End() - start)}
			s.Outermost = append(s.Outermost, Outermost{span, captures(n, lit)})
		}
		return !ok
	})
}

// captures reports whether a literal uses a variable, constant or type that is declared in n
// outside of the literal.
func captures(n ast.Node, lit *ast.FuncLit) bool {
	switch s := n.(type) { // the variables on the left are variables of the notebook
	case *ast.AssignStmt:
		n = &ast.CompositeLit{Elts: s.Rhs}
	case *ast.ValueSpec:
		n = &ast.CompositeLit{Elts: s.Values}
	}
	found := false
	ast.Inspect(lit, func(x ast.Node) bool {
		id, ok := x.(*ast.Ident)
		if !ok || id.Obj == nil || id.Obj.Kind != ast.Var && id.Obj.Kind != ast.Con && id.Obj.Kind != ast.Typ {
			return true
		}
		at := id.Obj.Pos()
		inside := at >= lit.Pos() && at < lit.End()
		found = found || !inside && at >= n.Pos() && at < n.End()
		return true
	})
	return found
}

func (s *Source) literal(lit *ast.FuncLit, start token.Pos) {
	s.Literals = append(s.Literals, Span{int(lit.Pos() - start), int(lit.End() - start)})
	ast.Inspect(lit, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			s.Methods = append(s.Methods, sel.Sel.Name)
		}
		return true
	})
}

// InLiteral reports whether an offset is within one of Literals.
func (s *Source) InLiteral(off int) bool {
	for _, l := range s.Literals {
		if off >= l.Start && off < l.End {
			return true
		}
	}
	return false
}

// isCall reports whether an expression has the form of a call or a receive, which Go allows as a
// statement. It may still be a conversion.
func isCall(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return isCall(x.X)
	case *ast.CallExpr:
		return true
	case *ast.UnaryExpr:
		return x.Op == token.ARROW
	}
	return false
}

// refs collects the identifiers in n that are not declared locally in it.
func (p *parse) refs(n ast.Node, start token.Pos, src *Source) {
	var out []Ref
	sels := map[*ast.Ident]string{}
	keys, fields := map[*ast.Ident]bool{}, map[*ast.Ident]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			src.Sels = append(src.Sels, n.Sel.Name)
			if id, ok := n.X.(*ast.Ident); ok {
				sels[id] = n.Sel.Name
			}
		case *ast.IndexExpr:
			if ref, ok := p.numbered(n, start); ok {
				out = append(out, ref)
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						keys[id] = true
						fields[id] = !valueKeys(n.Type)
					}
				}
			}
		case *ast.Ident:
			ref := Ref{Name: n.Name, Off: int(n.Pos() - start), Sel: sels[n], Key: fields[n]}
			switch {
			case n.Name == "_":
			case n.Obj == nil && (p.free[n] || keys[n]):
				out = append(out, ref)
			case n.Obj != nil && p.inEntry[n.Obj]:
				ref.Top = true
				out = append(out, ref)
			case n.Obj != nil && p.file.Scope.Lookup(n.Name) == n.Obj:
				out = append(out, ref)
			}
		}
		return true
	})
	src.Refs = out
}

// numbered returns a reference to a cell's result or text, Out[3] or In[3]. The reference to the
// name Out or In is also collected, since the notebook may declare that name.
func (p *parse) numbered(x *ast.IndexExpr, start token.Pos) (Ref, bool) {
	id, ok := x.X.(*ast.Ident)
	n, isNumber := x.Index.(*ast.BasicLit)
	if !ok || !isNumber || n.Kind != token.INT || id.Name != "Out" && id.Name != "In" || !p.free[id] {
		return Ref{}, false
	}
	name := id.Name + "[" + n.Value + "]"
	return Ref{Name: name, Off: int(id.Pos() - start)}, int(x.End()-x.Pos()) == len(name)
}

// valueKeys reports whether the keys of a composite literal with this type are certainly values: it is a map or an array type. If the
// type is a name or missing, they may be fields.
func valueKeys(t ast.Expr) bool {
	switch t.(type) {
	case *ast.MapType, *ast.ArrayType:
		return true
	}
	return false
}

// String returns the number of the cell's parts of each kind, for tests and debugging.
func (c *Cell) String() string {
	return fmt.Sprintf("%s: %d imports, %d declarations, %d statements, %d directives",
		Name(c.N), len(c.Imports), len(c.Decls), len(c.Stmts), len(c.Directives))
}
