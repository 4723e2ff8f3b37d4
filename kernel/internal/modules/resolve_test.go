package modules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/image"
)

// testModules returns a Modules for a notebook in a folder, with the go command and an
// image without packages.
func testModules(t *testing.T, dir string) *Modules {
	t.Helper()
	goCommand, err := image.FindGo()
	if err != nil {
		t.Fatal(err)
	}
	toolchain, err := image.ToolchainOf(t.Context(), goCommand)
	if err != nil {
		t.Fatal(err)
	}
	imageDir := t.TempDir()
	if err := os.WriteFile(filepath.Join(imageDir, "importcfg"), []byte("packagefile fmt=/fmt.a\npackagefile example.com/a/x=/old.a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return New(&image.Image{Dir: imageDir, Toolchain: toolchain}, dir, t.TempDir(), t.TempDir())
}

const smallModule = `
-- go.mod --
module example.com/a

go 1.26
-- x/x.go --
package x

import "example.com/a/y"

const N = y.N
-- y/y.go --
package y

const N = 1
`

func TestArchiveOfNotebooksModule(t *testing.T) {
	dir := writeTree(t, smallModule)
	m := testModules(t, filepath.Join(dir, "y"))
	file, err := m.Archive("example.com/a/x")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(data), "!<arch>\n") {
		t.Errorf("%s is no archive: error %v", file, err)
	}
	if names := m.Packages(); names["example.com/a/x"] != "x" || names["example.com/a/y"] != "y" {
		t.Errorf("packages %v", names)
	}
	if got := m.Live(); fmt.Sprint(got) != "[example.com/a/x example.com/a/y]" {
		t.Errorf("local packages %v", got)
	}
	cfg, err := m.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if want := "packagefile example.com/a/x=" + file; !strings.Contains(string(text), want) || strings.Contains(string(text), "/old.a") || !strings.Contains(string(text), "fmt=/fmt.a") {
		t.Errorf("importcfg\n%s\nlacks %s, or what the image has", text, want)
	}
}

func TestRefresh(t *testing.T) {
	dir := writeTree(t, smallModule)
	m := testModules(t, dir)
	before, err := m.Archive("example.com/a/x")
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Refresh(t.Context(), nil); c != nil {
		t.Errorf("without a change: %+v", c)
	}
	y := filepath.Join(dir, "y", "y.go")
	if err := os.WriteFile(y, []byte("package y\n\nconst N = 22\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := m.Refresh(t.Context(), nil)
	if c == nil || c.Err != nil || fmt.Sprint(c.Edited, c.Packages) != "[example.com/a/y] [example.com/a/y example.com/a/x]" || c.VersionChanged {
		t.Fatalf("after a change of y: %+v", c)
	}
	if after, err := m.Archive("example.com/a/x"); err != nil || after == before {
		t.Errorf("x is %s as before, error %v", after, err)
	}
	if err := os.WriteFile(y, []byte("package y\n\nconst N = \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := m.Refresh(t.Context(), nil); c == nil || c.Err == nil || !strings.Contains(c.Err.Error(), "y.go:4") {
		t.Errorf("after a syntax error: %+v", c)
	}
}

func TestNotFound(t *testing.T) {
	m := testModules(t, writeTree(t, smallModule))
	for path, want := range map[string]string{
		"frobnicate/x":      "package frobnicate/x is not in the standard library",
		"./x":               "relative imports do not work in modules",
		"numpy":             "it is a module of Python; the corresponding Go package is gonum.org/v1/gonum/mat",
		"example.org/other": "to get it:  %get example.org/other",
	} {
		if _, err := m.Archive(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", path, err, want)
		}
	}
	var refused *goCommandError
	if _, err := m.Archive("example.com/a/none"); err == nil || !errors.As(err, &refused) {
		t.Errorf("a folder that the module does not have: error %v, want the go command's", err)
	}
}

// TestSetFolder: without a module in the notebook's folder, a package is not available. %cd into a module makes the
// module's packages available.
func TestSetFolder(t *testing.T) {
	m := testModules(t, t.TempDir())
	if _, err := m.Archive("example.com/a/y"); err == nil {
		t.Error("a package was found without a module")
	}
	first, second := writeTree(t, smallModule), writeTree(t, strings.ReplaceAll(smallModule, "example.com/a", "example.com/b"))
	m.SetFolder(first)
	if _, err := m.Archive("example.com/a/y"); err != nil || m.Dir() != first {
		t.Errorf("in the first module: %v, in %s", err, m.Dir())
	}
	if m.SwitchModule() {
		t.Error("switched to no other module")
	}
	m.SetFolder(second)
	if _, err := m.Archive("example.com/b/y"); err == nil || !strings.Contains(err.Error(), "%restart") {
		t.Errorf("a package of a second module: error %v", err)
	}
	if !m.SwitchModule() || m.Dir() != second {
		t.Errorf("after the switch the module is in %s, want %s", m.Dir(), second)
	}
	if _, err := m.Archive("example.com/b/y"); err != nil {
		t.Error(err)
	}
}

func TestScratchModule(t *testing.T) {
	m := testModules(t, t.TempDir())
	dir, isScratch, err := m.EnsureModule()
	if err != nil || !isScratch {
		t.Fatalf("folder %s, scratch %v, error %v", dir, isScratch, err)
	}
	if again, _, err := m.EnsureModule(); err != nil || again != dir {
		t.Errorf("then %s, error %v", again, err)
	}
	if f := readModule(dir); f.path != "notebook" {
		t.Errorf("its go.mod has %+v", f)
	}
}

func TestClosure(t *testing.T) {
	list := []listedPackage{
		{ImportPath: "fmt", Standard: true}, {ImportPath: "d"}, {ImportPath: "c", Imports: []string{"d", "fmt"}},
		{ImportPath: "b"}, {ImportPath: "a", Imports: []string{"c"}},
	}
	for path, want := range map[string]string{"a": "d c a", "b": "b", "none": ""} {
		var got []string
		for _, p := range closure(list, path) {
			got = append(got, p.ImportPath)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("closure of %s: %q, want %q", path, got, want)
		}
	}
}

func TestCachedAnswer(t *testing.T) {
	dir := writeTree(t, smallModule)
	archive := filepath.Join(dir, "a.a")
	if err := os.WriteFile(archive, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m := testModules(t, dir)
	list := []listedPackage{{ImportPath: "example.org/p", Export: archive, Module: &module{Path: "example.org/p", Version: "v1.0.0"}}}
	m.cacheAnswer("example.org/p", list)
	if got, ok := m.cachedAnswer("example.org/p"); !ok || len(got) != 1 || got[0].Export != archive {
		t.Errorf("cached %+v, %v", got, ok)
	}
	local := []listedPackage{{ImportPath: "example.com/a/x", Export: archive, Module: &module{Path: "example.com/a", Main: true}}}
	m.cacheAnswer("example.com/a/x", local)
	if _, ok := m.cachedAnswer("example.com/a/x"); ok {
		t.Error("a package that may change without go.mod is cached")
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.cachedAnswer("example.org/p"); ok {
		t.Error("the answer outlives a change of go.sum")
	}
}

func TestCgoRoot(t *testing.T) {
	version := &module{Path: "example.org/c", Version: "v1.0.0"}
	dir := writeTree(t, "-- x.go --\npackage x\n")
	list := []listedPackage{
		{ImportPath: "fmt", Standard: true},
		{ImportPath: "example.org/c/internal/ffi", Module: version, CgoFiles: []string{"ffi.go"}},
		{ImportPath: "example.org/c", Module: version},
		{ImportPath: "example.com/a/x", Module: &module{Path: "example.com/a", Main: true, Dir: dir}, Dir: dir},
	}
	r := newCgoRoot(list, "example.com/a/x")
	if got := fmt.Sprint(r.Code, r.Packages, len(r.Modules), r.Folders); got != fmt.Sprintf("[example.org/c/internal/ffi] [example.com/a/x] 2 [%s]", dir) {
		t.Errorf("root %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte("package x // edited\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if again := newCgoRoot(list, "example.com/a/x"); again.Local == r.Local {
		t.Error("the hash of local packages does not depend on their files")
	}
}
