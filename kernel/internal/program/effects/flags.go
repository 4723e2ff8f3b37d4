package effects

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"
)

const flagPath = "flag"

// flagDefiners are the names of the functions of package flag, and of the methods of
// flag.FlagSet, that define a flag.
var flagDefiners = map[string]bool{
	"Bool": true, "BoolVar": true, "BoolFunc": true, "Duration": true, "DurationVar": true, "Float64": true, "Float64Var": true,
	"Func": true, "Int": true, "IntVar": true, "Int64": true, "Int64Var": true, "String": true, "StringVar": true,
	"TextVar": true, "Uint": true, "UintVar": true, "Uint64": true, "Uint64Var": true, "Var": true,
}

// DefinesFlag reports whether name is a function of package flag, or a method of flag.FlagSet, that defines a flag.
func DefinesFlag(name string) bool { return flagDefiners[name] }

// Flags returns the sorted names of the command line flags that the files define.
func Flags(info *types.Info, files []*ast.File) []string {
	var list []string
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := flagDefined(info, call); ok {
					list = append(list, name)
				}
			}
			return true
		})
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// flagDefined returns the name of the command line flag that a call defines, if
// it is a constant.
func flagDefined(info *types.Info, call *ast.CallExpr) (name string, ok bool) {
	fn, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != flagPath || !flagDefiners[fn.Name()] {
		return "", false
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && fn.Signature().Recv() != nil && !isCommandLine(info, sel.X) {
		return "", false
	}
	for i := range fn.Signature().Params().Len() {
		if fn.Signature().Params().At(i).Name() != "name" || i >= len(call.Args) {
			continue
		}
		if v := info.Types[call.Args[i]].Value; v != nil && v.Kind() == constant.String {
			return constant.StringVal(v), true
		}
	}
	return "", false
}

func isCommandLine(info *types.Info, x ast.Expr) bool {
	if sel, ok := ast.Unparen(x).(*ast.SelectorExpr); ok {
		x = sel.Sel
	}
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := info.Uses[id].(*types.Var)
	return ok && v.Pkg() != nil && v.Pkg().Path() == flagPath && v.Name() == "CommandLine"
}
