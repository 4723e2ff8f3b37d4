package perijove

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Limits of sizes, without tests. A package, file or function that exceeds a limit
// should be divided.
const (
	maxPackageFiles  = 25
	maxPackageLines  = 4000
	maxFileLines     = 400
	maxFunctionLines = 60
)

// A size is the size of a package.
type size struct{ files, lines int }

func TestSizes(t *testing.T) {
	packages := map[string]size{}
	for _, name := range sourceFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n"))
		if lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", name, lines, maxFileLines)
		}
		p := packages[filepath.Dir(name)]
		packages[filepath.Dir(name)] = size{p.files + 1, p.lines + lines}
		checkFunctions(t, name, text)
	}
	if len(packages) < 25 {
		t.Fatalf("only %d packages were found", len(packages))
	}
	for folder, p := range packages {
		if p.files > maxPackageFiles || p.lines > maxPackageLines {
			t.Errorf("package %s has %d files and %d lines, more than %d and %d", folder, p.files, p.lines, maxPackageFiles, maxPackageLines)
		}
	}
}

func checkFunctions(t *testing.T, name string, text []byte) {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		begin, end := files.Position(fn.Pos()).Line, files.Position(fn.End()).Line
		if lines := end - begin + 1; lines > maxFunctionLines {
			t.Errorf("%s:%d: function %s has %d lines, more than %d", name, begin, fn.Name.Name, lines, maxFunctionLines)
		}
	}
}

// sourceFiles returns the Go files of the module that are neither tests nor
// testdata, for all platforms.
func sourceFiles(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") && base != "." {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			list = append(list, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
