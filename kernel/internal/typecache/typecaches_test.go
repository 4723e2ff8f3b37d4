package typecache

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gobVariables are the variables that gobCaches updates.
var gobVariables = []string{
	"encoding/gob.userTypeCache", "encoding/gob.types", "encoding/gob.typeInfoMap", "encoding/gob.typeInfoMapInit",
}

// notByMethods maps package variables of the standard library that look like
// caches with types as keys, but do not depend on methods, to the reason.
var notByMethods = map[string]string{
	"encoding/binary.structSize":                "sizes",
	"encoding/gob.concreteTypeToName":           "names that programs register",
	"encoding/gob.nameToConcreteType":           "the same",
	"reflect.ptrMap":                            "types by what they are made of; see reflected.go",
	"reflect.lookupCache":                       "the same",
	"reflect.funcLookupCache":                   "the same",
	"reflect.structLookupCache":                 "the same",
	"reflect.layoutCache":                       "layouts of argument lists",
	"unique.uniqueMaps":                         "values",
	"testing.supportedTypes":                    "basic types",
	"image.atomicFormats":                       "decoders by their first bytes",
	"runtime/cgo.handles":                       "numbers",
	"testing.running":                           "names",
	"mime.mimeTypes":                            "names",
	"mime.mimeTypesLower":                       "names",
	"mime.extensions":                           "names",
	"archive/tar.userMap":                       "numbers",
	"archive/tar.groupMap":                      "numbers",
	"archive/zip.compressors":                   "numbers",
	"archive/zip.decompressors":                 "numbers",
	"internal/exportdata.exportMap":             "folders",
	"internal/godebug.cache":                    "names",
	"internal/testenv.execPaths":                "names",
	"internal/runtime/gc/internal/gen.ptrKinds": "a generator",
	"net.sockets":                               "addresses",
	"net.fakePorts":                             "numbers",
	"syscall.errnoErrorCache":                   "numbers",
}

// TestTypeCachesOfStandardLibrary searches the toolchain's sources for package
// variables that may be caches with types as keys: each must be in one of the lists.
func TestTypeCachesOfStandardLibrary(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	src := filepath.Join(strings.TrimSpace(string(out)), "src")
	err = filepath.WalkDir(src, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || file == filepath.Join(src, "cmd") || file == filepath.Join(src, "vendor")):
			return filepath.SkipDir
		case strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go"):
			path, _ := filepath.Rel(src, filepath.Dir(file))
			return findTypeCaches(file, filepath.ToSlash(path), found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range found {
		if !slices.Contains(typeCaches, name) && !slices.Contains(gobVariables, name) && notByMethods[name] == "" {
			t.Errorf("%s may be a cache by type: it belongs into typeCaches, or into notByMethods with the reason", name)
		}
	}
	for _, name := range slices.Concat(typeCaches, gobVariables) {
		if !found[name] {
			t.Errorf("the standard library has no %s", name)
		}
	}
}

// findTypeCaches adds the package variables of a file whose type contains a map with types or
// any values as keys.
func findTypeCaches(file, path string, found map[string]bool) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if v.Type != nil && mapsTypes(v.Type) || slices.ContainsFunc(v.Values, mapsTypes) {
				for _, n := range v.Names {
					found[path+"."+n.Name] = true
				}
			}
		}
	}
	return nil
}

func mapsTypes(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.FuncType:
			return false
		case *ast.MapType:
			found = found || selects(n.Key, "reflect", "Type") || selects(n.Key, "abi", "Type")
		case *ast.SelectorExpr:
			found = found || selects(n, "sync", "Map") || selects(n, "isync", "HashTrieMap") || selects(n, "atomic", "Value")
		}
		return !found
	})
	return found
}

func selects(x ast.Expr, pkg, name string) bool {
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	sel, ok := x.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}
