package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// sizes are the sizes of types in this process; they are the same in the worker process.
var sizes = types.SizesFor("gc", runtime.GOARCH)

// large is the size in bytes above which a variable is kept alive by its address, since
// copying it takes time. Smaller variables are kept alive by value: taking the address would
// keep them out of registers.
const large = 64

// IsPrint reports whether x calls one of fmt's Print or Fprint functions.
func IsPrint(info *types.Info, x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	var id *ast.Ident
	switch fn := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		id = fn.Sel
	case *ast.Ident:
		id = fn
	default:
		return false
	}
	fn, ok := info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "fmt" {
		return false
	}
	return strings.HasPrefix(fn.Name(), "Print") || strings.HasPrefix(fn.Name(), "Fprint")
}

// DefinedIn reports whether the block declares a variable at pos. Nested blocks do not count, except a block that is
// the last statement, which is the repeated part of a statement with %timeit.
func DefinedIn(block *ast.BlockStmt, pos token.Pos) bool {
	list := block.List
	if n := len(list); n > 0 {
		if body, ok := list[n-1].(*ast.BlockStmt); ok {
			list = append(list[:n-1:n-1], body.List...)
		}
	}
	for _, id := range TopLevelVars(list) {
		if id.Pos() == pos {
			return true
		}
	}
	return false
}

// AddressFor says how generated code uses a variable of a block so that the compiler keeps it. It returns "&" for a
// large variable, whose address is used, and "" if the value is used.
func AddressFor(r *Result, block *ast.BlockStmt, name string) string {
	address := ""
	ast.Inspect(block, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name {
			return true
		}
		if v, ok := r.Info.Defs[id].(*types.Var); ok && sizes.Sizeof(v.Type()) > large {
			address = "&"
		}
		return true
	})
	return address
}

// Results returns the number of values that an expression has.
func Results(tv types.TypeAndValue) int {
	if t, ok := tv.Type.(*types.Tuple); ok {
		return t.Len()
	}
	if tv.IsValue() {
		return 1
	}
	return 0
}

// CanEmbed reports whether //go:embed can fill a variable of type t.
func CanEmbed(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		obj := named.Obj()
		if obj.Pkg() != nil && obj.Pkg().Path() == "embed" && obj.Name() == "FS" {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.String
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Byte
	}
	return false
}

// DeclaredValues returns the values that a statement assigns or gives to new variables, and whether the statement
// declares variables.
func DeclaredValues(s ast.Stmt) (values []ast.Expr, declares bool) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return s.Rhs, s.Tok.String() == ":="
	case *ast.DeclStmt:
		g := s.Decl.(*ast.GenDecl)
		if v, ok := g.Specs[0].(*ast.ValueSpec); ok && len(g.Specs) == 1 && g.Tok.String() == "var" {
			return v.Values, true
		}
	}
	return nil, false
}

// AreConstant reports whether all values are constants or nil, so that the data of the object file can hold them.
func AreConstant(r *Result, values []ast.Expr) bool {
	return !slices.ContainsFunc(values, func(x ast.Expr) bool {
		tv := r.Info.Types[x]
		return tv.Value == nil && !tv.IsNil()
	})
}

// ReceiverName returns the name of a method's receiver type as the notebook declares it.
func ReceiverName(fn *types.Func) string {
	t := fn.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return mangle.Demangle(n.Obj().Name())
	}
	return ""
}
