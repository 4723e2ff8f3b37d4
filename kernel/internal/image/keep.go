package image

import (
	"bytes"
	"fmt"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// keepSymbols writes source that refers to all exported names, so that the linker keeps them in the worker executable.
// Symbols that the linker still drops are loaded from the compiled packages.
func (b *builder) keepSymbols() error {
	imp := newImporter(b.pkgs)
	linked := linkedPackages(b.pkgs)
	const all = "package main\n\nimport \"" + instancesPackage + "\"\n\nfunc init() { keep = append(keep, instances.All) }\n"
	if err := b.write("kernel/perijove-worker/instances.go", []byte(all)); err != nil {
		return err
	}
	for i, p := range b.pkgs {
		if !linked[p.ImportPath] || !importable(p.ImportPath) {
			continue
		}
		pkg, err := imp.Import(p.ImportPath)
		if err != nil {
			return err
		}
		src := keepFile(pkg, i)
		if src == nil {
			continue
		}
		if err := b.write(fmt.Sprintf("kernel/perijove-worker/keep%d.go", i), src); err != nil {
			return err
		}
	}
	return nil
}

// loadedPackages lists packages of the library with large dependencies. The image has them as compiled packages. The
// worker executable contains neither them, nor packages that import them, nor packages that only these need. The worker
// process loads these packages when a cell imports them.
var loadedPackages = []string{
	"github.com/perijove/perijove/lib/cluster", "github.com/perijove/perijove/lib/cluster/internal/natsserver",
	"github.com/perijove/perijove/lib/execprofile",
}

// isInternal reports whether path is an internal package of this project. Cells cannot import it, so the worker
// executable contains it only if another package needs it.
func isInternal(path string) bool {
	return strings.HasPrefix(path, "github.com/perijove/perijove/") && strings.Contains(path+"/", "/internal/")
}

// linkedPackages returns the packages that the worker executable contains: all except loadedPackages, packages that
// import one of them, and packages that only these need.
func linkedPackages(list []listed) map[string]bool {
	byPath := make(map[string]listed, len(list))
	for _, p := range list {
		byPath[p.ImportPath] = p
	}
	loaded := make(map[string]bool, len(list)) // by import path: whether the package needs one of loadedPackages
	var isLoaded func(path string) bool
	isLoaded = func(path string) bool {
		is, known := loaded[path]
		if !known {
			is = slices.Contains(loadedPackages, path) || slices.ContainsFunc(byPath[path].Imports, isLoaded)
			loaded[path] = is
		}
		return is
	}
	linked := make(map[string]bool, len(list))
	var add func(path string)
	add = func(path string) {
		if p, ok := byPath[path]; ok && !linked[path] {
			linked[path] = true
			for _, i := range p.Imports {
				add(i)
			}
		}
	}
	for _, p := range list {
		if !p.DepOnly && !isLoaded(p.ImportPath) && !isInternal(p.ImportPath) {
			add(p.ImportPath)
		}
	}
	return linked
}

// importable reports whether the main package of the worker executable may import the path.
func importable(path string) bool {
	switch path {
	case "unsafe", "runtime/cgo", "runtime/race", "runtime/msan", "runtime/asan", "plugin":
		return false
	}
	own := strings.HasPrefix(path, "github.com/perijove/perijove/kernel/")
	return !own && !strings.HasPrefix(path, "vendor/") && !strings.Contains("/"+path+"/", "/internal/")
}

func keepFile(pkg *types.Package, i int) []byte {
	var refs []string
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Func:
			if obj.Signature().TypeParams().Len() == 0 {
				refs = append(refs, "p."+name)
			}
		case *types.Var:
			refs = append(refs, "&p."+name)
		case *types.TypeName:
			if keepableType(obj) {
				refs = append(refs, "(*p."+name+")(nil)")
			}
		}
	}
	var w bytes.Buffer
	fmt.Fprintf(&w, "package main\n\nimport p %q\n\nfunc init() { keep = append(keep, keep%d) }\n\nfunc keep%d() []any {\n\treturn []any{\n", pkg.Path(), i, i)
	for _, r := range refs {
		fmt.Fprintf(&w, "\t\t%s,\n", r)
	}
	fmt.Fprintf(&w, "\t}\n}\n")
	if len(refs) == 0 {
		return nil
	}
	return w.Bytes()
}

func keepableType(obj *types.TypeName) bool {
	if n, ok := types.Unalias(obj.Type()).(*types.Named); ok && n.TypeParams().Len() > 0 {
		return false
	}
	if a, ok := obj.Type().(*types.Alias); ok && a.TypeParams().Len() > 0 {
		return false
	}
	i, ok := obj.Type().Underlying().(*types.Interface)
	return !ok || i.IsMethodSet()
}

func (b *builder) buildWorker() error {
	const keep = `package main

import (
	"os"
	"reflect"
)

var keep []func() []any

// The condition never holds, which the linker cannot know: so everything that
// the keep functions name stays, with all exported methods.
func init() {
	if len(os.Args) > 1<<30 {
		for _, k := range keep {
			for _, v := range k() {
				reflect.ValueOf(v).MethodByName(os.Args[len(os.Args)-1])
			}
		}
	}
	keep = nil
}
`
	if err := b.write("kernel/perijove-worker/zz_keep.go", []byte(keep)); err != nil {
		return err
	}
	args := slices.Concat([]string{"build"}, b.modFlag(), b.raceFlags(), []string{"-o", filepath.Join(b.dir, "worker"), workerPackage})
	_, err := b.goCommand(args...)
	return err
}
