package check

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// Outermost lists the function literals of a body that are not inside another literal.
func Outermost(body *ast.BlockStmt) []*ast.FuncLit {
	var list []*ast.FuncLit
	ast.Inspect(body, func(x ast.Node) bool {
		lit, ok := x.(*ast.FuncLit)
		if ok {
			list = append(list, lit)
		}
		return !ok
	})
	return list
}

// DependsOnConstant reports whether the compiler may leave out a part of a function because of a constant. If so, the
// value of the constant can change how function literals capture variables.
func DependsOnConstant(info *types.Info, body *ast.BlockStmt) bool {
	found := false
	constant := func(x ast.Expr) bool { return x != nil && info.Types[x].Value != nil }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			found = found || constant(n.Cond)
		case *ast.ForStmt:
			found = found || constant(n.Cond)
		case *ast.BinaryExpr:
			found = found || (n.Op == token.LAND || n.Op == token.LOR) && (constant(n.X) || constant(n.Y))
		case *ast.SwitchStmt:
			found = found || n.Tag == nil || constant(n.Tag)
		}
		return !found
	})
	return found
}

// Captured returns the names and type fingerprints of the local variables that a function literal captures, as one
// string.
func (r *Result) Captured(lit *ast.FuncLit) string {
	var out strings.Builder
	seen := map[types.Object]bool{}
	ast.Inspect(lit, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := r.Info.Uses[id].(*types.Var)
		if ok && !v.IsField() && !seen[v] && v.Pkg() == r.Pkg && v.Parent() != r.Pkg.Scope() && (v.Pos() < lit.Pos() || v.Pos() >= lit.End()) {
			seen[v] = true
			out.WriteString(";" + v.Name() + " " + typetext.Fingerprint(v.Type(), r.Pkg))
		}
		return true
	})
	return out.String()
}

// TypesIn returns a hash of the types of all expressions in a body, in order. It uses the fingerprints of the types.
func (r *Result) TypesIn(body *ast.BlockStmt) string {
	hash := sha256.New()
	ast.Inspect(body, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if t := r.Info.TypeOf(x); ok && t != nil {
			fmt.Fprintln(hash, typetext.Fingerprint(t, r.Pkg))
		}
		return true
	})
	return ";" + hex.EncodeToString(hash.Sum(nil)[:8])
}
