package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

const (
	neverName = "never" + mangleMark
	// slowDefers makes the compiler keep records of a function's defers
	// instead of bits: a defer in a loop rules the bits out. An interrupt may
	// find a function that loops between two calls, where the bits are not
	// stored. The loop is never entered.
	slowDefers = "for " + neverName + " { defer discard" + mangleMark + "() }; "
)

// deferLoops returns where the bodies of functions begin that have both a
// defer and a loop of their own. before and after make text a Go file.
func (b *builder) deferLoops(before, text, after string) []int {
	if !strings.Contains(text, "defer") {
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", before+text+after, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	var list []int
	ast.Inspect(f, func(n ast.Node) bool {
		var body *ast.BlockStmt
		switch n := n.(type) {
		case *ast.FuncDecl:
			body = n.Body
		case *ast.FuncLit:
			body = n.Body
		}
		if body != nil && b.defersAndLoops(body) {
			if off := int(body.Lbrace-f.FileStart) + 1 - len(before); off > 0 && off <= len(text) {
				list = append(list, off)
			}
		}
		return true
	})
	return list
}

// defersAndLoops looks at a function's own statements, not at those of
// function literals in it. A call of a notebook function counts as a loop:
// the compiler may put the function's body, loops and all, in its place.
func (b *builder) defersAndLoops(body *ast.BlockStmt) bool {
	var deferred, loop bool
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			deferred = true
			for _, arg := range n.Call.Args {
				ast.Inspect(arg, visit)
			}
			return false // the deferred call runs at the end, by itself
		case *ast.ForStmt, *ast.RangeStmt:
			loop = true
		case *ast.BranchStmt:
			loop = loop || n.Tok == token.GOTO
		case *ast.CallExpr:
			loop = loop || b.callsNotebook(n.Fun)
		}
		return true
	}
	ast.Inspect(body, visit)
	return deferred && loop
}

// callsNotebook reports whether a call may be of a function or method that the
// notebook declares.
func (b *builder) callsNotebook(fun ast.Expr) bool {
	switch f := fun.(type) {
	case *ast.Ident:
		s := b.lookup(f.Name)
		return s != nil && s.kind != cell.Type && s.kind != cell.Const
	case *ast.SelectorExpr:
		for _, methods := range b.p.methods {
			for _, m := range methods {
				if m.decl != nil && len(m.decl.Names) > 0 && m.decl.Names[0].Name == f.Sel.Name {
					return true
				}
			}
		}
		for _, methods := range b.methods {
			for _, m := range methods {
				if m.decl != nil && len(m.decl.Names) > 0 && m.decl.Names[0].Name == f.Sel.Name {
					return true
				}
			}
		}
		return false
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true // a generic function
	}
	return false
}

// slowDefersIn are the edits that put slowDefers into functions that need it.
func (e *emitter) slowDefersIn(before, text, after string) []edit {
	if e.shape {
		return nil
	}
	var out []edit
	for _, off := range e.b.deferLoops(before, text, after) {
		e.helpers[neverName] = true
		out = append(out, edit{off, off, slowDefers})
	}
	return out
}

// entryNeedsSlowDefers reports whether the cell's own statements defer and loop.
func (b *builder) entryNeedsSlowDefers() bool {
	var text strings.Builder
	for _, st := range b.stmts {
		text.WriteString(st.Text)
		text.WriteString("\n")
		if st.Loop != nil {
			text.WriteString("for {}\n") // what repeat writes
		}
	}
	if !strings.Contains(text.String(), "defer") {
		return false
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {\n"+text.String()+"\n}", parser.SkipObjectResolution)
	return err == nil && len(f.Decls) == 1 && b.defersAndLoops(f.Decls[0].(*ast.FuncDecl).Body)
}
