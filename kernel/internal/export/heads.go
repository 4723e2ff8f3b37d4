package export

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// parseHead parses a function without a body.
func parseHead(head string) (*ast.FuncDecl, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+head+"\n", parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return f.Decls[0].(*ast.FuncDecl), nil
}

// nameParameters gives names to the parameters without one, and returns the arguments that pass them on.
func nameParameters(d *ast.FuncDecl) []string {
	taken := map[string]bool{}
	for _, list := range []*ast.FieldList{d.Recv, d.Type.Params, d.Type.Results} {
		if list == nil {
			continue
		}
		for _, f := range list.List {
			for _, n := range f.Names {
				taken[n.Name] = true
			}
		}
	}
	names := nameFields(d.Type.Params, "p", taken)
	for i, f := range d.Type.Params.List {
		if _, ok := f.Type.(*ast.Ellipsis); ok && i == len(d.Type.Params.List)-1 {
			names[len(names)-1] += "..."
		}
	}
	return names
}

// nameFields names the fields of a list, and returns the names.
func nameFields(list *ast.FieldList, base string, taken map[string]bool) []string {
	var names []string
	fresh := func() string {
		for i := len(names) + 1; ; i++ {
			if name := fmt.Sprint(base, i); !taken[name] {
				return name
			}
		}
	}
	for _, f := range list.List {
		if len(f.Names) == 0 {
			f.Names = []*ast.Ident{ast.NewIdent("_")}
		}
		for _, n := range f.Names {
			if n.Name == "_" {
				n.Name = fresh()
			}
			names = append(names, n.Name)
		}
	}
	return names
}

func printHead(d *ast.FuncDecl) (string, error) {
	var out bytes.Buffer
	d.Doc, d.Body = nil, nil
	err := printer.Fprint(&out, token.NewFileSet(), d)
	return out.String(), err
}

// callOf returns a function's head whose parameters have names, and a function that returns calls of other functions with these parameters.
func callOf(head string) (text string, call func(name string) string, hasResult bool, err error) {
	d, err := parseHead(head)
	if err != nil {
		return "", nil, false, err
	}
	names := nameParameters(d)
	prefix := ""
	if d.Recv != nil {
		prefix = nameFields(d.Recv, "v", map[string]bool{})[0] + "."
	}
	typeArgs := ""
	if d.Type.TypeParams != nil {
		var list []string
		for _, p := range d.Type.TypeParams.List {
			for _, n := range p.Names {
				list = append(list, n.Name)
			}
		}
		typeArgs = "[" + strings.Join(list, ", ") + "]"
	}
	text, err = printHead(d)
	return text, func(name string) string {
		return fmt.Sprintf("%s%s%s(%s)", prefix, name, typeArgs, strings.Join(names, ", "))
	}, d.Type.Results.NumFields() > 0, err
}

// selector writes a function that calls the body which its variable selects.
func (f *file) selector(fn *function) {
	d := fn.first.decl
	part := &file{b: f.b, imports: f.imports}
	part.copyDecl(fn.first, fn.bodies()[0].step).write(d.FuncEnd, d.Body, map[int]string{d.Names[0].Off: fn.goName})
	head, call, hasResult, err := callOf(part.text.String())
	if err != nil {
		s := f.b.steps[fn.first.step]
		f.b.refuse(s, d.Pos, "%s is declared again: %v", fn.name, err)
		return
	}
	f.printf("%s {\nswitch %s {\n", head, fn.version)
	list := fn.bodies()
	for i, in := range list {
		label := fmt.Sprintf("case %d", i+1)
		if i == len(list)-1 {
			label = "default"
		}
		if hasResult {
			f.printf("%s:\nreturn %s\n", label, call(in.goName))
		} else {
			f.printf("%s:\n%s\n", label, call(in.goName))
		}
	}
	f.printf("}\n}\n\n")
}

// versions selects the bodies of the functions that a step, or one without statements before it, declares again.
func (f *file) versions(s *step) {
	b := f.b
	from := s.index
	for from > 0 && b.sectionOf[from-1] == nil {
		from--
	}
	for _, fn := range b.functions {
		if !fn.dispatch {
			continue
		}
		list := fn.bodies()
		now, before := fn.bodyAt(b, s.index), fn.bodyAt(b, from-1)
		if i := slices.Index(list, now); i > 0 && now != before {
			f.printf("%s = %d\n", fn.version, i+1)
		}
	}
}

// bodyAt returns the body of a function at a step, or nil.
func (fn *function) bodyAt(b *book, k int) *instance {
	if k < 0 {
		return nil
	}
	e := b.tables[k][fn.name]
	if e == nil || e.kind != cell.Func || b.groupAt(e, k) != fn {
		return nil
	}
	return b.instanceAt(e, k)
}
