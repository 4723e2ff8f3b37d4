package modules

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"
)

// writeTree writes the files of a txtar archive to a new folder.
func writeTree(t *testing.T, files string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(files)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadModule(t *testing.T) {
	f := readModule(writeTree(t, `
-- go.mod --
module example.com/a

go 1.26

require (
	example.com/b v1.2.3
	example.com/c/v2 v2.0.0 // indirect
)

replace example.com/d => ../d
`))
	if f.path != "example.com/a" || f.requires["example.com/b"] != "v1.2.3" || len(f.requires) != 2 || !slices.Equal(f.replaces, []string{"example.com/d"}) {
		t.Errorf("read %+v", f)
	}
	for _, tt := range []struct {
		pkg                    string
		isOwn, requires, other bool
	}{
		{"example.com/a", true, false, false},
		{"example.com/a/x", true, false, false},
		{"example.com/ab", false, false, false}, // a longer name is another module
		{"example.com/b/y", false, true, false},
		{"example.com/c", false, false, false},
		{"example.com/c/v2/z", false, true, false},
		{"example.com/d", false, false, true},
		{"fmt", false, false, false},
	} {
		if f.isOwn(tt.pkg) != tt.isOwn || f.requiresFor(tt.pkg) != tt.requires || f.replacesFor(tt.pkg) != tt.other {
			t.Errorf("%s: own %v, required %v, replaced %v", tt.pkg, f.isOwn(tt.pkg), f.requiresFor(tt.pkg), f.replacesFor(tt.pkg))
		}
	}
}

// TestReadModuleOfOtherReleases: a go.mod with an unknown directive is read, and a malformed
// one gives an empty result.
func TestReadModuleOfOtherReleases(t *testing.T) {
	newer := readModule(writeTree(t, "-- go.mod --\nmodule example.com/a\n\nnovelty x y\n\nrequire example.com/b v1.0.0\n"))
	if newer.path != "example.com/a" || newer.requires["example.com/b"] == "" {
		t.Errorf("with an unknown directive: %+v", newer)
	}
	for _, text := range []string{"-- go.mod --\nmodule\n", "-- other --\n"} {
		if f := readModule(writeTree(t, text)); f.path != "" || len(f.requires) != 0 || f.isOwn("example.com/a") {
			t.Errorf("%q: %+v", text, f)
		}
	}
}

func TestReadModulesOfWorkspace(t *testing.T) {
	dir := writeTree(t, `
-- go.work --
go 1.26

use (
	./a
	./b
)

replace example.com/d => ./d
-- a/go.mod --
module example.com/a
-- b/go.mod --
module example.com/b
-- c/go.mod --
module example.com/c
`)
	list := readModules(dir)
	own := func(pkg string) bool {
		return slices.ContainsFunc(list, func(f moduleFile) bool { return f.isOwn(pkg) })
	}
	if !own("example.com/a/x") || !own("example.com/b") || own("example.com/c") {
		t.Errorf("workspace: %+v", list)
	}
	if !slices.ContainsFunc(list, func(f moduleFile) bool { return f.replacesFor("example.com/d/x") }) {
		t.Error("the workspace's own replace directive is missing")
	}
}

func TestFindModule(t *testing.T) {
	dir := writeTree(t, "-- m/go.mod --\nmodule m\n-- m/x/y/f.go --\n-- m/z/go.work/folder --\n")
	m := filepath.Join(dir, "m")
	for _, from := range []string{m, filepath.Join(m, "x", "y"), filepath.Join(m, "z")} {
		if got := findModule(from); got != m {
			t.Errorf("from %s: %q, want %q", from, got, m)
		}
	}
	if got := findModule(dir); got == m {
		t.Errorf("from above the module: %q", got)
	}
}

func TestWriteModuleFiles(t *testing.T) {
	dir := writeTree(t, "-- go.mod --\nmodule m\n-- real.sum --\nold\n")
	if err := os.Symlink("real.sum", filepath.Join(dir, "go.sum")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "go.mod"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := moduleFiles{mod: "module m\n\ngo 1.26\n", sum: "new\n"}
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := readModuleFiles(dir)
	if err != nil || got != want {
		t.Errorf("read %+v, error %v", got, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "real.sum")); err != nil || string(b) != "new\n" {
		t.Errorf("the target of the link holds %q, error %v", b, err)
	}
	if st, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("go.mod has mode %v, error %v", st.Mode(), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files remain: %q, error %v", left, err)
	}
}

func TestModuleFilesWithoutGoSum(t *testing.T) {
	dir := writeTree(t, "-- go.mod --\nmodule m\n")
	f, err := readModuleFiles(dir)
	if err != nil || f.sum != "" {
		t.Fatalf("read %+v, error %v", f, err)
	}
	if err := f.write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); !os.IsNotExist(err) {
		t.Errorf("an empty go.sum was written: %v", err)
	}
}
