// Package source examines the syntax trees of declarations and statements of cells: function literals, calls, uses of constants, and statements
// such as return, which affect the enclosing function.
package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// stmtCode returns the Go file that holds a statement, and the offset of the statement in it.
func stmtCode(s *cell.Stmt) (string, int) {
	switch {
	case s.Var != nil:
		return "package p\nfunc _() {\nvar " + s.Text + "\n}", len("package p\nfunc _() {\nvar ")
	case s.Expr != nil && !s.Call:
		return "package p\nfunc _() {\n_(" + s.Text + ")\n}", len("package p\nfunc _() {\n_(")
	}
	return "package p\nfunc _() {\n" + s.Text + "\n}", len("package p\nfunc _() {\n")
}

// Facts are properties of a declaration or statement that package cell does not collect.
type Facts struct {
	started  []cell.Span  // calls of go statements, which may run after the cell has ended
	Called   map[int]bool // offsets of names of called functions
	Literals []Literal
	Names    map[string]bool // all identifiers in the code
	Control  bool            // the code has a return, a defer or a label outside of function literals
	Exits    []int           // offsets of uses of os.Exit with a code that may be 0, and of runtime.Goexit
	Failing  []int           // offsets of uses of os.Exit with a number other than 0
}

// OfDecl examines a declaration.
func OfDecl(d *cell.Decl) *Facts {
	code := declCode(d)
	return examine(code, len(code)-len(d.Text))
}

// OfStmt examines a statement.
func OfStmt(s *cell.Stmt) *Facts { return examine(stmtCode(s)) }

// examine examines a Go file in which the source begins at the offset at.
func examine(code string, at int) *Facts {
	f := &Facts{Called: map[int]bool{}}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", code, parser.SkipObjectResolution)
	if err != nil {
		return f
	}
	offset := func(p token.Pos) int { return int(p-file.FileStart) - at }
	f.Names = identifiers(file)
	f.top(file)
	f.noteLiterals(file, offset)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			f.started = append(f.started, cell.Span{Start: offset(n.Call.Pos()), End: offset(n.Call.End())})
		case *ast.CallExpr:
			f.call(n, offset)
		}
		return true
	})
	return f
}

func (f *Facts) call(n *ast.CallExpr, offset func(token.Pos) int) {
	fun := ast.Unparen(n.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	if id, ok := fun.(*ast.Ident); ok {
		f.Called[offset(id.Pos())] = true
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	x, _ := sel.X.(*ast.Ident)
	if x == nil {
		return
	}
	switch x.Name + "." + sel.Sel.Name {
	case "os.Exit":
		if len(n.Args) != 1 {
			return
		}
		if code, ok := n.Args[0].(*ast.BasicLit); !ok || code.Value == "0" {
			f.Exits = append(f.Exits, offset(n.Pos()))
		} else {
			f.Failing = append(f.Failing, offset(n.Pos()))
		}
	case "runtime.Goexit":
		f.Exits = append(f.Exits, offset(n.Pos()))
	}
}

// top sets f.Control.
func (f *Facts) top(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt, *ast.LabeledStmt:
			f.Control = true
		}
		return true
	})
}

func identifiers(file *ast.File) map[string]bool {
	all := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			all[id.Name] = true
		}
		return true
	})
	return all
}

// IsStarted reports whether the name at an offset is part of a call in a go statement.
func (f *Facts) IsStarted(off int) bool {
	for _, s := range f.started {
		if off >= s.Start && off < s.End {
			return true
		}
	}
	return false
}

// Ends returns the offsets of the calls that end a program but end only the cell in a notebook. In a cell tagged
// raises-exception these include calls of os.Exit with another code than 0.
func (f *Facts) Ends(raises bool) []int {
	if raises {
		return slices.Concat(f.Exits, f.Failing)
	}
	return f.Exits
}
