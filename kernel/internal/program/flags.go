package program

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

const flagPath = "flag"

// definers are the functions of package flag, and the methods of a set of
// flags, that define one.
var definers = map[string]bool{
	"Bool": true, "BoolVar": true, "BoolFunc": true, "Duration": true, "DurationVar": true, "Float64": true, "Float64Var": true,
	"Func": true, "Int": true, "IntVar": true, "Int64": true, "Int64Var": true, "String": true, "StringVar": true,
	"TextVar": true, "Uint": true, "UintVar": true, "Uint64": true, "Uint64Var": true, "Var": true,
}

// placeFlags moves the call of flag.Parse that a %% line stands for behind the
// var declarations below that line which define flags, as GoNB parses those too.
func (b *builder) placeFlags() {
	from := slices.IndexFunc(b.stmts, func(st *emit.Stmt) bool { return st.Role == cell.ParseFlags })
	if from < 0 {
		return
	}
	last := -1
	for i, st := range b.stmts {
		if i > from && st.Var != nil && b.definesFlag(st.Refs) {
			last = i
		}
	}
	if last < 0 {
		return
	}
	var moved, list []*emit.Stmt
	parses := false
	for i, st := range b.stmts {
		switch {
		case st.Role == cell.CallInit, st.Role == cell.ParseFlags && !parses:
			moved = append(moved, st)
			parses = parses || st.Role == cell.ParseFlags
		case st.Role != cell.ParseFlags:
			list = append(list, st)
		}
		if i == last {
			list = append(list, moved...)
		}
	}
	b.stmts = list
}

// definesFlag reports whether a statement names a function that defines a flag.
func (b *builder) definesFlag(refs []cell.Ref) bool {
	return slices.ContainsFunc(refs, func(r cell.Ref) bool {
		bd := b.before[r.Name]
		switch {
		case r.Top || bd.Path != flagPath:
			return false
		case bd.Kind == symtab.DotImported:
			return definers[r.Name]
		}
		return definers[r.Sel] || r.Sel == "CommandLine"
	})
}

// noteFlags collects the names of the command line flags that the cell defines:
// they must not be in the set already when it runs again.
func (b *builder) noteFlags(r *check.Result) {
	if !r.ImportsPackage(flagPath) {
		return
	}
	b.flags = nil
	for _, f := range r.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := flagDefined(r.Info, call); ok {
					b.flags = append(b.flags, name)
				}
			}
			return true
		})
	}
	slices.Sort(b.flags)
	b.flags = slices.Compact(b.flags)
}

// flagDefined returns the name of the command line flag that a call defines, if
// it is a constant.
func flagDefined(info *types.Info, call *ast.CallExpr) (name string, ok bool) {
	fn, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != flagPath || !definers[fn.Name()] {
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
