package source

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// IsInLiteral reports whether one of the nodes around a node is a function literal.
func IsInLiteral(stack []ast.Node) bool {
	return slices.ContainsFunc(stack, func(n ast.Node) bool { _, ok := n.(*ast.FuncLit); return ok })
}

// AllowsVariable reports whether code behaves the same if the constant id is replaced by a variable of type typ. stack has the nodes around id,
// the outermost first.
func AllowsVariable(info *types.Info, id *ast.Ident, typ types.Type, stack []ast.Node) bool {
	constant := ast.Expr(id) // the largest constant expression that contains id
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.ParenExpr:
			constant = n
			continue
		case *ast.UnaryExpr, *ast.BinaryExpr:
			if x := n.(ast.Expr); info.Types[x].Value != nil {
				if !isExact(x, typ) {
					return false
				}
				constant = x
				continue
			}
		case *ast.KeyValueExpr, *ast.ArrayType, *ast.ValueSpec, *ast.CaseClause:
			return false
		case ast.Expr:
			if info.Types[n].Value != nil {
				return false
			}
		}
		break
	}
	return types.Identical(info.Types[constant].Type, typ)
}

// isExact reports whether the operation x has the same result for variables of type typ as for constants, even if an intermediate result overflows.
func isExact(x ast.Expr, typ types.Type) bool {
	op := token.SUB
	if binary, ok := x.(*ast.BinaryExpr); ok {
		op = binary.Op
	} else if x.(*ast.UnaryExpr).Op != op {
		return false
	}
	basic, ok := typ.Underlying().(*types.Basic)
	return ok && (basic.Info()&types.IsInteger != 0 && (op == token.ADD || op == token.SUB || op == token.MUL) || basic.Info()&types.IsString != 0 && op == token.ADD)
}
