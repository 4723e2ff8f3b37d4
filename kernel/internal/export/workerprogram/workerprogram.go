// Package workerprogram changes the program of a notebook so that it runs tasks that call the notebook's functions,
// for package cluster.
package workerprogram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/identity"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// Config describes a notebook's program.
type Config struct {
	Notebook string // the notebook's file name
	Release  string // release of the Go toolchain, such as "go1.26.8"
	Library  string // hash of this project's library

	PackageNames   map[string]string // names of the packages that the program imports, by path
	PackageVersion func(path string) (string, error)
}

// Transform returns the worker program for a program. main is the text of the program's main.go. The program's functions
// stay as they are; a new main function replaces the old one, which gets another name.
func Transform(main []byte, c Config) ([]byte, error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "main.go", main, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	list, err := identity.OfFile(string(main), c.PackageNames)
	if err != nil {
		return nil, err
	}
	w := &writer{Config: c, files: files, file: f, taken: takenNames(f)}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			w.function(fn, list)
		}
	}
	if w.offered == 0 {
		return nil, fmt.Errorf("cannot make a worker program of %s, which declares no function that package cluster can send: such a function has one argument, and may have a context.Context before it", c.Notebook)
	}
	list = identity.Packages(list, c.PackageVersion)
	table, err := json.Marshal(mpsource.Program{Go: c.Release, Library: c.Library, Declarations: list})
	if err != nil {
		return nil, err
	}
	return w.program(main, string(table))
}

type writer struct {
	Config
	files    *token.FileSet
	file     *ast.File
	taken    map[string]bool
	remote   string // name of package mpremote
	calls    bytes.Buffer
	offered  int
	mainName *ast.Ident
}

// takenNames returns all names in a file.
func takenNames(f *ast.File) map[string]bool {
	taken := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			taken[id.Name] = true
		}
		return true
	})
	for _, im := range f.Imports {
		path, _ := strconv.Unquote(im.Path.Value)
		taken[path[strings.LastIndexByte(path, '/')+1:]] = true
	}
	return taken
}

// name returns a name that the file does not have.
func (w *writer) name(base string) string {
	name := base
	for i := 2; w.taken[name]; i++ {
		name = base + strconv.Itoa(i)
	}
	w.taken[name] = true
	return name
}

// function adds a call that registers fn, if package mp can send it.
func (w *writer) function(fn *ast.FuncDecl, list []mpsource.Declaration) {
	if fn.Recv != nil {
		return
	}
	if fn.Name.Name == "main" {
		w.mainName = fn.Name
		return
	}
	types, register := w.signature(fn.Type)
	i := slices.IndexFunc(list, func(d mpsource.Declaration) bool { return d.Name == fn.Name.Name })
	if register == "" || i < 0 {
		return
	}
	list[i].Offered = true
	if w.offered++; w.remote == "" {
		w.remote = w.name("mpremote")
	}
	fmt.Fprintf(&w.calls, "\t%s.%s[%s](%q, %[4]s)\n", w.remote, register, strings.Join(types, ", "), fn.Name.Name)
}

// signature returns the type arguments and the name of the function of package mpremote that registers a function of the
// type, or "" if package mp cannot send it.
func (w *writer) signature(t *ast.FuncType) (types []string, register string) {
	params, results := flat(t.Params), flat(t.Results)
	if len(params) == 2 && w.isContext(params[0]) {
		params = params[1:]
	}
	if t.TypeParams != nil || len(params) != 1 || w.isContext(params[0]) {
		return nil, ""
	}
	if _, variadic := params[0].(*ast.Ellipsis); variadic {
		return nil, ""
	}
	arg := w.text(params[0])
	switch n := len(results); {
	case n == 0, n == 1 && w.isError(results[0]):
		return []string{arg}, "RegisterTarget"
	case n == 1, n == 2 && w.isError(results[1]):
		return []string{w.text(results[0]), arg}, "Register"
	}
	return nil, ""
}

// flat returns the type of each parameter.
func flat(list *ast.FieldList) (types []ast.Expr) {
	if list == nil {
		return nil
	}
	for _, f := range list.List {
		for range max(len(f.Names), 1) {
			types = append(types, f.Type)
		}
	}
	return types
}

// isContext reports whether x is the type context.Context.
func (w *writer) isContext(x ast.Expr) bool {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Context" {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && slices.ContainsFunc(w.file.Imports, func(im *ast.ImportSpec) bool {
		name := "context"
		if im.Name != nil {
			name = im.Name.Name
		}
		return im.Path.Value == `"context"` && name == id.Name
	})
}

// isError reports whether x is the predeclared type error.
func (w *writer) isError(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "error" && !w.declares("error")
}

// declares reports whether the file declares a name outside of functions.
func (w *writer) declares(name string) bool {
	for _, d := range w.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == name {
				return true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok && t.Name.Name == name {
					return true
				}
			}
		}
	}
	return false
}

func (w *writer) text(x ast.Expr) string {
	var b strings.Builder
	if err := printer.Fprint(&b, w.files, x); err != nil {
		panic(err) // a strings.Builder returns no error
	}
	return b.String()
}

// program returns the text of the worker program.
func (w *writer) program(main []byte, table string) ([]byte, error) {
	worker := w.name("clusterworker")
	var out bytes.Buffer
	at := w.files.Position(w.file.Name.End()).Offset
	out.Write(main[:at])
	fmt.Fprintf(&out, "\n\nimport (\n\t%s %q\n\t%s %q\n)\n", worker, identity.LibraryModule+"/lib/cluster/clusterworker", w.remote, identity.LibraryModule+"/lib/mp/mpremote")
	if w.mainName == nil {
		out.Write(main[at:])
	} else {
		begin, end := w.files.Position(w.mainName.Pos()).Offset, w.files.Position(w.mainName.End()).Offset
		out.Write(main[at:begin])
		out.WriteString(w.name("notebook"))
		out.Write(main[end:])
	}
	fmt.Fprintf(&out, "\n// main runs tasks of the functions above, which are registered first.\nfunc main() {\n%s\t%s.Main(%q, %q)\n}\n", w.calls.String(), worker, table, w.Notebook)
	return format.Source(out.Bytes())
}
