package notebook

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A Parameter is one variable of the cell tagged "parameters".
type Parameter struct {
	Name    string
	Type    types.Type
	Default string // the expression that the cell assigns to the variable, or ""
	Comment string // comment beside or above the declaration of the variable
}

// TypeString returns the type as the cell writes it. It returns "" if the type mentions a package that is not
// imported when the cell's types are checked.
func (p Parameter) TypeString() string {
	text := p.typeString()
	if strings.Contains(text, types.Typ[types.Invalid].String()) {
		return ""
	}
	return text
}

func (p Parameter) typeString() string {
	return types.TypeString(p.Type, func(pkg *types.Package) string {
		if pkg.Path() == cellPackage {
			return ""
		}
		return pkg.Name()
	})
}

// Kind returns the kind of the underlying type: "bool", "int", "uint", "float", "complex", "string", "slice",
// "array", "map", "struct", "pointer", "interface", "func" or "chan". It returns "" if the type is from a package
// that is not imported when the cell's types are checked.
func (p Parameter) Kind() string {
	switch t := p.Type.Underlying().(type) {
	case *types.Basic:
		return basicKind(t)
	case *types.Slice:
		return "slice"
	case *types.Array:
		return "array"
	case *types.Map:
		return "map"
	case *types.Struct:
		return "struct"
	case *types.Pointer:
		return "pointer"
	case *types.Interface:
		return "interface"
	case *types.Signature:
		return "func"
	case *types.Chan:
		return "chan"
	}
	return ""
}

func basicKind(t *types.Basic) string {
	switch info := t.Info(); {
	case info&types.IsBoolean != 0:
		return "bool"
	case info&types.IsUnsigned != 0:
		return "uint"
	case info&types.IsInteger != 0:
		return "int"
	case info&types.IsFloat != 0:
		return "float"
	case info&types.IsComplex != 0:
		return "complex"
	case info&types.IsString != 0:
		return "string"
	}
	return "" // the type is invalid: it is from a package that is not imported for parameters
}

// cellPackage is the path of the package as which the cell is type-checked.
const cellPackage = "cell"

// SetParameters sets values of variables of the cell tagged "parameters". Each assignment has the form name=value,
// where the value is parsed as the variable's type. SetParameters inserts a cell with the assignments, tagged
// "injected-parameters", after the cell tagged "parameters", so the executed notebook shows both. If an earlier run
// has inserted such a cell, SetParameters replaces it.
func (nb *Notebook) SetParameters(assignments []string) error {
	if len(assignments) == 0 {
		return nil
	}
	at := slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.Type == CodeCell && c.HasTag(TagParameters) })
	if at < 0 {
		return errors.New(`the notebook has no parameters: tag the cell that declares them "parameters"`)
	}
	scope, err := parseParameters(nb.Cells[at].Source)
	if err != nil {
		return fmt.Errorf("cannot read the parameters in cell %d, which is tagged parameters: %w", at+1, err)
	}
	source, err := scope.assign(assignments)
	if err != nil {
		return err
	}
	cell, err := nb.newCode(source, TagInjected)
	if err != nil {
		return err
	}
	nb.Cells = slices.DeleteFunc(nb.Cells, func(c *Cell) bool { return c.HasTag(TagInjected) })
	at = slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.Type == CodeCell && c.HasTag(TagParameters) })
	nb.Cells = slices.Insert(nb.Cells, at+1, cell)
	return nil
}

// Parameters lists the variables of the cell tagged "parameters", in the order of their declaration. It returns none
// if no cell has this tag.
func (nb *Notebook) Parameters() ([]Parameter, error) {
	for i, c := range nb.Cells {
		if c.Type != CodeCell || !c.HasTag(TagParameters) {
			continue
		}
		scope, err := parseParameters(c.Source)
		if err != nil {
			return nil, fmt.Errorf("cannot read the parameters in cell %d, which is tagged parameters: %w", i+1, err)
		}
		return scope.variables, nil
	}
	return nil, nil
}

// parameterScope has the declarations of the cell tagged "parameters".
type parameterScope struct {
	pkg       *types.Package
	variables []Parameter
	constants map[string]bool
}

// assign returns the Go source that sets the parameters.
func (s *parameterScope) assign(assignments []string) (string, error) {
	var b strings.Builder
	b.WriteString("// Parameters of this run")
	seen := map[string]bool{}
	for _, a := range assignments {
		name, value, ok := strings.Cut(a, "=")
		name = strings.TrimSpace(name)
		if !ok || !token.IsIdentifier(name) {
			return "", fmt.Errorf("%q is not a parameter with its value: write NAME=VALUE", a)
		}
		p, err := s.find(name)
		if err != nil {
			return "", err
		}
		if seen[name] {
			return "", fmt.Errorf("parameter %s is given twice", name)
		}
		seen[name] = true
		expr, err := s.parse(value, p.Type)
		if err != nil {
			return "", fmt.Errorf("cannot set the parameter %s: %w", name, err)
		}
		fmt.Fprintf(&b, "\n%s = %s", name, expr)
	}
	return b.String(), nil
}

func (s *parameterScope) find(name string) (Parameter, error) {
	var known []string
	for _, p := range s.variables {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name+" "+s.typeName(p.Type))
	}
	if s.constants[name] {
		return Parameter{}, fmt.Errorf("parameter %s is a constant: declare it with var or := to make it settable", name)
	}
	if len(known) == 0 {
		return Parameter{}, fmt.Errorf("there is no parameter %s: the cell tagged parameters declares no variables", name)
	}
	return Parameter{}, fmt.Errorf("there is no parameter %s; the parameters are: %s", name, strings.Join(known, ", "))
}

func (s *parameterScope) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == s.pkg {
			return ""
		}
		return p.Name()
	})
}

// parseParameters finds the top-level variables of a cell by type-checking it as the body of
// a function. Only package time can be imported, for parameters of type time.Duration.
func parseParameters(source string) (*parameterScope, error) {
	fset := token.NewFileSet()
	file, body, err := parseCellSource(fset, source)
	if err != nil {
		return nil, err
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Scopes: map[ast.Node]*types.Scope{}}
	conf := types.Config{Importer: timeImporter{}, Error: func(error) {}} // unused variables are not an error here
	pkg, _ := conf.Check(cellPackage, fset, []*ast.File{file}, info)
	s := &parameterScope{pkg: pkg, constants: map[string]bool{}}
	top := info.Scopes[body.Type]
	texts := describe(fset, file, body)
	var objects []types.Object
	for _, obj := range info.Defs {
		if obj != nil && obj.Parent() == top && obj.Name() != "_" {
			objects = append(objects, obj)
		}
	}
	slices.SortFunc(objects, func(a, b types.Object) int { return int(a.Pos() - b.Pos()) })
	for _, obj := range objects {
		switch obj := obj.(type) {
		case *types.Var:
			s.variables = append(s.variables, Parameter{obj.Name(), obj.Type(), texts[obj.Pos()].value, texts[obj.Pos()].comment})
		case *types.Const:
			s.constants[obj.Name()] = true
		}
	}
	return s, nil
}

// parseCellSource parses imports followed by statements.
func parseCellSource(fset *token.FileSet, source string) (*ast.File, *ast.FuncDecl, error) {
	const head, open = "package p; ", "\nimport \"time\"\nfunc _() {\n"
	imports, err := parser.ParseFile(token.NewFileSet(), "", head+source, parser.ImportsOnly)
	end := 0
	if err == nil && len(imports.Decls) > 0 {
		end = int(imports.Decls[len(imports.Decls)-1].End()) - 1 - len(head)
	}
	text := head + source[:end]
	if imports != nil && importsTime(imports) {
		text += strings.Replace(open, "import \"time\"", "", 1)
	} else {
		text += open
	}
	before := strings.Count(text, "\n") - strings.Count(source[:end], "\n")
	file, err := parser.ParseFile(fset, "", text+source[end:]+"\n}", parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, nil, cellPosition(err, before)
	}
	return file, file.Decls[len(file.Decls)-1].(*ast.FuncDecl), nil
}

func importsTime(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"time"` && i.Name == nil
	})
}

// timeImporter imports a package time with only Duration and its constants.
type timeImporter struct{}

const timeSource = `package time
type Duration int64
const (
	Nanosecond Duration = 1
	Microsecond = 1000 * Nanosecond
	Millisecond = 1000 * Microsecond
	Second = 1000 * Millisecond
	Minute = 60 * Second
	Hour = 60 * Minute
)`

func (timeImporter) Import(path string) (*types.Package, error) {
	if path != "time" {
		return nil, errors.New("the cell tagged parameters can use only package time")
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "time.go", timeSource, 0)
	if err != nil {
		return nil, err
	}
	return (&types.Config{}).Check("time", fset, []*ast.File{f}, nil)
}
