// Package forward writes the heads of functions that pass their parameters on to other functions.
package forward

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strings"
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

// Call takes the head of a function, from func to its results. It returns the head as text in which all parameters
// have names. call returns the code of a call that passes these parameters on to the function name. hasResult reports
// whether the function has results. Call returns an error if head is not valid.
func Call(head string) (text string, call func(name string) string, hasResult bool, err error) {
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
