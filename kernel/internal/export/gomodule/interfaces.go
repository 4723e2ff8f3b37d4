package gomodule

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
)

// LooksFor reports whether one of the packages or of their dependencies may look for a method at run time. That is so
// if an interface in their sources has a method of that name.
func (m *Module) LooksFor(paths []string, name string) bool {
	if !token.IsExported(name) {
		return false
	}
	if m.dynamic == nil {
		m.dynamic = m.interfaceMethods(paths)
	}
	return m.dynamic[name]
}

// interfaceMethods collects the names of the methods of all interfaces in the source of packages and their dependencies.
func (m *Module) interfaceMethods(paths []string) map[string]bool {
	names := map[string]bool{}
	list, err := m.list(append([]string{"--"}, paths...)...)
	if err != nil {
		return names
	}
	for _, p := range list {
		for _, file := range append(p.GoFiles, p.CgoFiles...) {
			tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				continue
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				t, ok := n.(*ast.InterfaceType)
				if !ok {
					return true
				}
				for _, f := range t.Methods.List {
					for _, id := range f.Names {
						names[id.Name] = true
					}
				}
				return true
			})
		}
	}
	return names
}
