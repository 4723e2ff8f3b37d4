package inlining

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// A Worker says which code the worker process has.
type Worker interface {
	// InWorker reports whether the worker process has a symbol, which is a function or the descriptor of a type. If
	// so, the unit's copy of the symbol is not used.
	InWorker(symbol string) bool
	// IsThin reports whether units without inlining are compiled against a thin package, which has no bodies of its
	// generic code.
	IsThin(path string) bool
}

// WorkerOf returns x if x is a Worker. Otherwise it returns a Worker that has no generic code.
func WorkerOf(x any) Worker {
	if w, ok := x.(Worker); ok {
		return w
	}
	return noWorker{}
}

type noWorker struct{}

func (noWorker) InWorker(string) bool { return false }
func (noWorker) IsThin(string) bool   { return false }

// hasInstance reports whether the worker process has the instance of a generic type or function with these type arguments. It
// reports false for type arguments whose names linkName does not know.
func (f *finder) hasInstance(generic types.Object, args *types.TypeList) bool {
	if generic == nil || generic.Pkg() == nil || generic.Pkg().Path() == "main" {
		return false
	}
	symbol, ok := instanceName(generic.Name(), args, "")
	symbol = goobj.EscapePath(generic.Pkg().Path()) + "." + symbol
	if _, isType := generic.(*types.TypeName); isType {
		symbol = "type:" + symbol
	}
	return ok && f.worker.InWorker(symbol)
}

// ofInstance reports whether a method belongs to an instance of a generic type, perhaps one that the receiver embeds, and
// the worker process does not have it.
func (f *finder) ofInstance(method types.Object) bool {
	fn, ok := method.(*types.Func)
	if !ok || fn.Signature().Recv() == nil {
		return false
	}
	t := types.Unalias(fn.Signature().Recv().Type())
	if f.generatesCode(t) {
		return true
	}
	format := "%s.%s.%s"
	if p, ok := t.(*types.Pointer); ok {
		t, format = types.Unalias(p.Elem()), "%s.(*%s).%s"
	}
	named, ok := t.(*types.Named)
	if !ok || named.TypeArgs().Len() == 0 {
		return false
	}
	// Cells call the code that all types of the same underlying type share.
	name, ok := instanceName(named.Obj().Name(), named.TypeArgs(), "go.shape.")
	return !ok || !f.worker.InWorker(fmt.Sprintf(format, goobj.EscapePath(named.Obj().Pkg().Path()), name, fn.Name()))
}

// InstanceName returns the name of an instance in the names of symbols, after its package. It returns false for type arguments that linkName does
// not know.
func InstanceName(generic string, args *types.TypeList) (string, bool) {
	return instanceName(generic, args, "")
}

// instanceName returns the name of an instance in the names of symbols, with a prefix before each type argument. It
// returns false if linkName does not know the name of one.
func instanceName(generic string, args *types.TypeList, prefix string) (string, bool) {
	var names []string
	for a := range args.Types() {
		name := linkName(a)
		if name == "" {
			return "", false
		}
		names = append(names, prefix+name)
	}
	return generic + "[" + strings.Join(names, ",") + "]", true
}

// linkName returns the name of a type in the names of symbols, or "". It knows those of
// predeclared types, context.Context, and types without a name that consist of such.
func linkName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return types.Typ[t.Kind()].Name() // byte is uint8
	case *types.Named:
		switch t.String() {
		case "error", "context.Context":
			return t.String()
		}
	case *types.Slice:
		return prefixed("[]", t.Elem())
	case *types.Pointer:
		return prefixed("*", t.Elem())
	case *types.Struct:
		if t.NumFields() == 0 {
			return "struct {}"
		}
	case *types.Signature:
		return signatureName(t)
	}
	return ""
}

func prefixed(prefix string, elem types.Type) string {
	if name := linkName(elem); name != "" {
		return prefix + name
	}
	return ""
}

func signatureName(t *types.Signature) string {
	list := func(tuple *types.Tuple) (string, bool) {
		var names []string
		for v := range tuple.Variables() {
			name := linkName(v.Type())
			if name == "" {
				return "", false
			}
			names = append(names, name)
		}
		return strings.Join(names, ", "), true
	}
	params, ok := list(t.Params())
	results, ok2 := list(t.Results())
	switch {
	case !ok || !ok2 || t.Variadic():
		return ""
	case t.Results().Len() == 0:
		return "func(" + params + ")"
	case t.Results().Len() == 1:
		return "func(" + params + ") " + results
	}
	return "func(" + params + ") (" + results + ")"
}

// isWorkersIterator reports whether x is a call whose result the worker process's code makes: a call of an instance of a generic function of a package
// that compiler processes without inlining know without bodies, or of such a method, if the worker process has the instance. With
// inlining, the loop over such a result would take as long.
func (f *finder) isWorkersIterator(x ast.Expr) bool {
	c, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	fun := ast.Unparen(c.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	callee := f.info.Uses[sel.Sel]
	if callee == nil || callee.Pkg() == nil || !f.worker.IsThin(callee.Pkg().Path()) {
		return false
	}
	if in, ok := f.info.Instances[sel.Sel]; ok {
		return f.hasInstance(callee, in.TypeArgs)
	}
	fn, ok := callee.(*types.Func)
	return ok && fn.Signature().Recv() != nil && !f.ofInstance(callee)
}
