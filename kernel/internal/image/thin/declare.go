package thin

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// An Instance is an instance of a generic type or function of a package.
type Instance struct {
	Generic string   // name of the type or function
	Args    []string // the type arguments, as source text
}

// LinkName returns the name of the instance in the names of symbols, after the name of its package. It knows type arguments that
// consist of predeclared types, context.Context, and types without a name.
func (in Instance) LinkName() (string, error) {
	var names []string
	for _, a := range in.Args {
		x, err := parser.ParseExpr(a)
		if err != nil {
			return "", err
		}
		name, err := linkName(x)
		if err != nil {
			return "", fmt.Errorf("type argument %s: %w", a, err)
		}
		names = append(names, name)
	}
	return in.Generic + "[" + strings.Join(names, ",") + "]", nil
}

func linkName(x ast.Expr) (string, error) {
	prefix, elem := "", ast.Expr(nil)
	switch x := x.(type) {
	case *ast.Ident:
		if x.Name == "byte" {
			return "uint8", nil
		}
		return x.Name, nil
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok && id.Name == "context" {
			return "context." + x.Sel.Name, nil
		}
	case *ast.StructType:
		if x.Fields.NumFields() == 0 {
			return "struct {}", nil
		}
	case *ast.StarExpr:
		prefix, elem = "*", x.X
	case *ast.ArrayType:
		if x.Len == nil {
			prefix, elem = "[]", x.Elt
		}
	case *ast.FuncType:
		return signatureName(x)
	}
	if elem == nil {
		return "", fmt.Errorf("types such as this have no known name in symbols")
	}
	name, err := linkName(elem)
	return prefix + name, err
}

func signatureName(x *ast.FuncType) (string, error) {
	list := func(fields *ast.FieldList) (string, error) {
		var names []string
		for _, f := range fieldsOf(fields) {
			name, err := linkName(f.Type)
			if err != nil {
				return "", err
			}
			names = append(names, name)
		}
		return strings.Join(names, ", "), nil
	}
	params, err := list(x.Params)
	if err != nil {
		return "", err
	}
	results, err := list(x.Results)
	switch n := x.Results.NumFields(); {
	case n == 1:
		results = " " + results
	case n > 1:
		results = " (" + results + ")"
	}
	return "func(" + params + ")" + results, err
}

func fieldsOf(l *ast.FieldList) []*ast.Field {
	if l == nil {
		return nil
	}
	return l.List
}

// A Function is an instance of a generic function of another package, which a thin package declares, too.
type Function struct {
	Path string // import path of the other package, which is also its name
	Instance
	Signature string   // from the parameters on, as source text
	Imports   []string // packages that Signature names
}

// mark is the end of the names by which units refer to declared instances.
const mark = "ʹ"

// Identifier returns the name by which units refer to the declaration of an instance, given the instance's LinkName.
func Identifier(linkName string) string { return placeholder(linkName) + mark }

// placeholder returns an identifier that is as long as a link name.
func placeholder(linkName string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, linkName)
}

// symbolPlaceholder returns what stands for a link name in a linkname directive, which allows neither spaces nor instances.
func symbolPlaceholder(linkName string) string {
	return strings.NewReplacer("[", "<", "]", ">", " ", "~").Replace(linkName)
}

// A Declarer adds declarations of instances to a thin package. A declared instance is a type or function without type parameters
// that has the name of the instance in objects and in type descriptors. A unit that uses it refers to the code and to the
// type descriptor of the worker process, and the compiler generates nothing for it.
//
// No identifier can have such a name. So the source has a placeholder of the same length, which Renames replaces in the export
// data, and units refer to a type by an alias, to a function by its linkname.
type Declarer struct {
	path      string                // import path of the package
	instances map[string][]Instance // by name of the type or function
	names     map[string]string     // link names by placeholder
	declared  map[string]bool       // link names of the instances that Declare has declared
	renames   map[string]string     // see Renames
	functions []string              // symbols of functions of other packages
}

// Functions returns a file for the thin package, whose name is pkg. The file declares the functions in list, which
// other packages define, by their linknames.
func (d *Declarer) Functions(pkg string, list []Function) ([]byte, error) {
	imports, functions := map[string]bool{}, ""
	for _, fn := range list {
		name, err := fn.LinkName()
		if err != nil {
			return nil, err
		}
		for _, path := range fn.Imports {
			imports[path] = true
		}
		symbol := fn.Path + "." + symbolPlaceholder(name)
		d.renames[symbol] = fn.Path + "." + name
		d.functions = append(d.functions, fn.Path+"."+name)
		functions += fmt.Sprintf("\n//go:linkname %s %s\nfunc %s%s\n", Identifier(name), symbol, Identifier(name), fn.Signature)
	}
	text := "package " + pkg + "\n\nimport _ \"unsafe\"\n"
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		text += fmt.Sprintf("import %q\n", path)
	}
	return []byte(text + functions), nil
}

// NewDeclarer returns a Declarer for instances of the package with an import path.
func NewDeclarer(path string, instances []Instance) (*Declarer, error) {
	d := &Declarer{path: path, instances: map[string][]Instance{}, names: map[string]string{}, declared: map[string]bool{}, renames: map[string]string{}}
	for _, in := range instances {
		name, err := in.LinkName()
		if err != nil {
			return nil, err
		}
		if other := d.names[placeholder(name)]; other != "" {
			return nil, fmt.Errorf("%s and %s have the same placeholder", name, other)
		}
		d.names[placeholder(name)] = name
		d.instances[in.Generic] = append(d.instances[in.Generic], in)
	}
	return d, nil
}

// Names returns the names of the symbols of the instances and of the functions of other packages that are declared, sorted.
func (d *Declarer) Names() []string {
	names := slices.Clone(d.functions)
	for _, name := range d.names {
		names = append(names, d.path+"."+name)
	}
	slices.Sort(names)
	return names
}

// Renames returns strings in the export data of the package, with those that replace them, of the same length. It must be called after Declare for all
// files of the package, and fails if one of the instances was not declared.
func (d *Declarer) Renames() (map[string]string, error) {
	for _, name := range d.names {
		if !d.declared[name] {
			return nil, fmt.Errorf("%s declares no type or function %s", d.path, name)
		}
	}
	return d.renames, nil
}

// Declare returns a file of a thin package, as Source made it, with declarations of the instances of the types and functions
// that the file declares.
func (d *Declarer) Declare(name string, src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := declaredFile{Declarer: d, src: src, offset: func(p token.Pos) int { return fset.Position(p).Offset }}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					f.declareType(t)
				}
			}
		case *ast.FuncDecl:
			if isGeneric(decl) {
				f.declareFunc(decl)
			}
		}
	}
	if f.err != nil {
		return nil, fmt.Errorf("%s: %w", name, f.err)
	}
	if f.out.Len() == 0 {
		return src, nil
	}
	at := f.offset(file.Name.End())
	return slices.Concat(src[:at], []byte("; import _ \"unsafe\""), src[at:], []byte(f.out.String())), nil
}

// A declaredFile collects the declarations of instances for one file.
type declaredFile struct {
	*Declarer
	src    []byte
	offset func(token.Pos) int
	out    strings.Builder
	err    error
}

func (f *declaredFile) declareType(t *ast.TypeSpec) {
	if t.TypeParams == nil {
		return
	}
	for _, in := range f.instances[t.Name.Name] {
		if embedsInstance(t.Type) && f.err == nil {
			f.err = fmt.Errorf("%s embeds an instance, whose field would get another name", t.Name.Name)
		}
		id := f.placeholderOf(in)
		f.renames[id], f.declared[f.names[id]] = f.names[id], true
		fmt.Fprintf(&f.out, "\ntype %s %s\n\ntype %s%s = %s\n", id, f.text(t.Type, arguments(t.TypeParams, in)), id, mark, id)
	}
}

// embedsInstance reports whether a struct type embeds an instance of one of the package's types.
func embedsInstance(x ast.Expr) bool {
	st, ok := x.(*ast.StructType)
	return ok && slices.ContainsFunc(st.Fields.List, func(field *ast.Field) bool {
		t := field.Type
		if p, ok := t.(*ast.StarExpr); ok {
			t = p.X
		}
		generic, _ := indexed(t)
		return field.Names == nil && generic != ""
	})
}

func (f *declaredFile) declareFunc(fn *ast.FuncDecl) {
	if fn.Recv == nil {
		for _, in := range f.instances[fn.Name.Name] {
			name, id := f.names[f.placeholderOf(in)], f.placeholderOf(in)+mark
			symbol := f.path + "." + symbolPlaceholder(name)
			f.renames[symbol], f.declared[name] = f.path+"."+name, true
			fmt.Fprintf(&f.out, "\n//go:linkname %s %s\nfunc %s%s\n", id, symbol, id, f.signature(fn, arguments(fn.Type.TypeParams, in)))
		}
		return
	}
	recv, star := ast.Unparen(fn.Recv.List[0].Type), ""
	if p, ok := recv.(*ast.StarExpr); ok {
		recv, star = ast.Unparen(p.X), "*"
	}
	generic, params := indexed(recv)
	for _, in := range f.instances[generic] {
		args := map[string]string{}
		for i, p := range params {
			if id, ok := p.(*ast.Ident); ok {
				args[id.Name] = in.Args[i]
			}
		}
		fmt.Fprintf(&f.out, "\nfunc (%s%s) %s%s\n", star, f.placeholderOf(in), fn.Name.Name, f.signature(fn, args))
	}
}

// arguments returns the type arguments of an instance by the names of the type parameters.
func arguments(params *ast.FieldList, in Instance) map[string]string {
	args := map[string]string{}
	for _, field := range params.List {
		for _, id := range field.Names {
			args[id.Name] = in.Args[len(args)]
		}
	}
	return args
}

// indexed returns the name and the indices of Generic[T] or Generic[T, U], or "".
func indexed(x ast.Expr) (generic string, indices []ast.Expr) {
	switch i := x.(type) {
	case *ast.IndexExpr:
		x, indices = i.X, []ast.Expr{i.Index}
	case *ast.IndexListExpr:
		x, indices = i.X, i.Indices
	}
	if id, ok := x.(*ast.Ident); ok && indices != nil {
		return id.Name, indices
	}
	return "", nil
}

func (f *declaredFile) placeholderOf(in Instance) string {
	name, err := in.LinkName()
	id := placeholder(name)
	if err == nil && f.names[id] != name {
		err = fmt.Errorf("instance %s is needed, but is not declared", name)
	}
	if err != nil && f.err == nil {
		f.err = err
	}
	return id
}

func (f *declaredFile) signature(fn *ast.FuncDecl, args map[string]string) string {
	text := f.text(fn.Type.Params, args)
	if fn.Type.Results != nil {
		text += " " + f.text(fn.Type.Results, args)
	}
	return text
}

// text returns the source of n with type arguments for type parameters, and with declared instances for instances of the package's types.
func (f *declaredFile) text(n ast.Node, args map[string]string) string {
	start := f.offset(n.Pos())
	var edits []edit
	replace := func(n ast.Node, text string) {
		edits = append(edits, edit{f.offset(n.Pos()) - start, f.offset(n.End()) - start, text})
	}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			ast.Inspect(n.Type, visit) // not the names
			return false
		case *ast.SelectorExpr:
			return false
		case *ast.Ident:
			if arg, ok := args[n.Name]; ok {
				replace(n, arg)
			}
		case *ast.IndexExpr, *ast.IndexListExpr:
			if generic, indices := indexed(n.(ast.Expr)); generic != "" {
				in := Instance{Generic: generic}
				for _, x := range indices {
					in.Args = append(in.Args, f.text(x, args))
				}
				replace(n, f.placeholderOf(in))
				return false
			}
		}
		return true
	}
	ast.Inspect(n, visit)
	return string(apply(f.src[start:f.offset(n.End())], edits))
}
