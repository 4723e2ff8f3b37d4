package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// PanicSpan returns the range of the expression that has panicked in a line of a cell, as byte offsets in the line.
// text is the text of the panic. ok is false if more than one expression of the line, or none, can cause such a
// panic.
func PanicSpan(src string, line int, text string) (start, end int, ok bool) {
	canPanic := panickers(text)
	if canPanic == nil {
		return 0, 0, false
	}
	pieces, faults := Split(src)
	if len(faults) > 0 {
		return 0, 0, false
	}
	p := &parse{cell: &Cell{Src: src}, pieces: pieces}
	p.compose()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", p.text.String(), parser.SkipObjectResolution)
	if err != nil {
		return 0, 0, false
	}
	base, found := int(file.FileStart), 0
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil || !canPanic(n) {
			return n != nil
		}
		from, to := PosAt(src, p.srcOffset(int(n.Pos())-base)), PosAt(src, p.srcOffset(int(n.End())-base))
		if from.Line > line || to.Line < line {
			return true
		}
		if found++; from.Line != to.Line {
			found = 2 // it spans several lines: the line of the panic may not be that of the operation
		}
		start, end = from.Col-1, to.Col-1
		return true
	})
	return start, end, found == 1
}

// panickers returns a function that reports whether a node can panic with this text; nil if the text is
// not a known message of the runtime.
func panickers(text string) func(ast.Node) bool {
	for prefix, f := range map[string]func(ast.Node) bool{
		"runtime error: index out of range":        isIndex,
		"assignment to entry in nil map":           isIndex,
		"runtime error: slice bounds out of range": func(n ast.Node) bool { _, ok := n.(*ast.SliceExpr); return ok },
		"runtime error: integer divide by zero":    isDivision,
		"interface conversion: ": func(n ast.Node) bool {
			x, ok := n.(*ast.TypeAssertExpr)
			return ok && x.Type != nil
		},
		"runtime error: invalid memory address or nil pointer dereference": isAccess,
	} {
		if strings.HasPrefix(text, prefix) {
			return f
		}
	}
	return nil
}

func isIndex(n ast.Node) bool {
	_, ok := n.(*ast.IndexExpr)
	return ok
}

func isDivision(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.Op == token.QUO || n.Op == token.REM
	case *ast.AssignStmt:
		return n.Tok == token.QUO_ASSIGN || n.Tok == token.REM_ASSIGN
	}
	return false
}

// isAccess reports whether a node may dereference a nil pointer. A call counts, since the function
// may be nil or dereference one itself.
func isAccess(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr:
		return true
	case *ast.CallExpr:
		_, isSelected := n.Fun.(*ast.SelectorExpr)
		return !isSelected
	}
	return false
}
