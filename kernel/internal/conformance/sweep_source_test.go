package conformance

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"strings"
)

// A sweepSource has the source of the cells for a package.
type sweepSource struct {
	alias   string
	body    string // statements that refer to all exported names
	refer   string // a cell with the statements of body
	symbols int
	keep    string // a cell that keeps values; empty if there are none
	again   string // a cell that uses and prints these values
	want    string
}

// source generates the cells for a package from its exported names.
func (s *sweep) source(p *sweptPackage) (*sweepSource, error) {
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(s.exports[path]) })
	pkg, err := imp.Import(p.ImportPath)
	if err != nil {
		return nil, err
	}
	refs := references(pkg, p.alias)
	src := &sweepSource{alias: p.alias, symbols: len(refs)}
	if len(refs) == 0 {
		src.alias = "_"
	}
	src.body = `	refs := []any{` + "\n\t\t" + strings.Join(append(refs, ""), ",\n\t\t") + `}
	for i, r := range refs {
		v := reflect.ValueOf(r)
		switch v.Kind() {
		case reflect.Func:
			if runtime.FuncForPC(v.Pointer()) == nil {
				panic(fmt.Sprint(i, " has no name"))
			}
		case reflect.Pointer:
			for j := range v.NumMethod() {
				if v.Method(j).Kind() != reflect.Func || v.Type().Method(j).Func.Pointer() == 0 {
					panic(fmt.Sprint(i, " lacks a method"))
				}
			}
		}
	}
	fmt.Println(len(refs), "symbols")`
	src.refer = fmt.Sprintf("import %s %q\n\n{\n%s\n}", src.alias, p.ImportPath, src.body)
	src.keepValues(pkg)
	return src, nil
}

// references lists expressions that refer to all exported names of a package: functions,
// addresses of variables, new values of types, and instances of generic types and functions.
func references(pkg *types.Package, alias string) []string {
	var list []string
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		expr := alias + "." + name
		switch obj := obj.(type) {
		case *types.Func:
			for _, args := range typeArguments(obj.Type(), obj.Signature().TypeParams()) {
				list = append(list, expr+args)
			}
		case *types.Var:
			list = append(list, "&"+expr)
		case *types.TypeName:
			if onlyConstraint(obj.Type()) {
				continue
			}
			for _, args := range typeArguments(obj.Type(), typeParams(obj.Type())) {
				list = append(list, "new("+expr+args+")")
			}
		}
	}
	return list
}

func typeParams(t types.Type) *types.TypeParamList {
	switch t := t.(type) {
	case *types.Named:
		return t.TypeParams()
	case *types.Alias:
		return t.TypeParams()
	}
	return nil
}

// onlyConstraint reports whether a type can be used only as a constraint.
func onlyConstraint(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && !i.IsMethodSet()
}

// typeArguments lists the type argument lists to write after a name: "" if it is not generic,
// else lists with int and with string.
func typeArguments(t types.Type, params *types.TypeParamList) []string {
	if params.Len() == 0 {
		return []string{""}
	}
	var list []string
	for _, basic := range []types.Type{types.Typ[types.Int], types.Typ[types.String]} {
		args := make([]types.Type, params.Len())
		for i := range args {
			args[i] = basic
		}
		for i := range args {
			args[i] = argument(params, i, args)
		}
		if _, err := types.Instantiate(nil, t, args, true); err != nil {
			continue
		}
		var text []string
		for _, a := range args {
			text = append(text, a.String())
		}
		list = append(list, "["+strings.Join(text, ", ")+"]")
	}
	return list
}

// argument returns type argument i: args[i], or a slice, map or pointer type made of the other
// arguments if the constraint requires that.
func argument(params *types.TypeParamList, i int, args []types.Type) types.Type {
	u, ok := params.At(i).Constraint().Underlying().(*types.Interface)
	if !ok || u.NumEmbeddeds() != 1 {
		return args[i]
	}
	core := u.EmbeddedType(0)
	if union, ok := core.(*types.Union); ok && union.Len() == 1 {
		core = union.Term(0).Type()
	}
	arg := func(t types.Type) types.Type {
		if p, ok := t.(*types.TypeParam); ok {
			return args[p.Index()]
		}
		return t
	}
	switch c := core.(type) {
	case *types.Slice:
		return types.NewSlice(arg(c.Elem()))
	case *types.Map:
		return types.NewMap(arg(c.Key()), arg(c.Elem()))
	case *types.Pointer:
		return types.NewPointer(arg(c.Elem()))
	}
	return args[i]
}

// keepValues generates a cell that keeps values of some types and addresses of some variables,
// and a cell that uses them.
func (src *sweepSource) keepValues(pkg *types.Package) {
	const most = 3
	var keep, again, want strings.Builder
	n := 0
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		t, isType := obj.(*types.TypeName)
		if n == most || !obj.Exported() || !isType || t.IsAlias() || onlyConstraint(t.Type()) || typeParams(t.Type()).Len() > 0 {
			continue
		}
		v := fmt.Sprintf("kept_%s_%d", src.alias, n)
		typ := src.alias + "." + name
		fmt.Fprintf(&keep, "%s := new(%s)\n", v, typ)
		fmt.Fprintf(&again, "{ var v any = %s; p, ok := v.(*%s); fmt.Printf(\"%%T %%t\\n\", v, ok && p == %s) }\n", v, typ, v)
		fmt.Fprintf(&want, "*%s.%s true\n", pkg.Name(), name)
		n++
	}
	src.keep, src.again, src.want = keep.String(), again.String(), want.String()
}
