package reducedexports

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

// compilePackage compiles a package without imports, with -linkshared, so that units refer to its symbols by name.
func compilePackage(t *testing.T, std *programtest.Std, dir, source string) (archive string) {
	t.Helper()
	file, archive := filepath.Join(dir, "box.go"), filepath.Join(dir, "box.a")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(std.Compile, "-o", archive, "-p", "box", "-linkshared", "-dwarf=false", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return archive
}

// TestRename: after the names of a type and of a function have been replaced in the export data, a unit refers to the new names.
func TestRename(t *testing.T) {
	std, dir := programtest.NewStd(t), t.TempDir()
	archive := compilePackage(t, std, dir, `package box

import _ "unsafe"

type Box_int_ struct{ n int }

type Alias = Box_int_

func (b *Box_int_) Len() int

//go:linkname New box.New<int>
func New(n int) *Alias
`)
	before, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []map[string]string{{"Box_int_": "Box"}, {"Box_int_": "Box[int]", "Missing": "missing"}} {
		if err := Rename(archive, wrong); err == nil {
			t.Errorf("%v was accepted", wrong)
		}
		if after, err := os.ReadFile(archive); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%v: the archive has changed: %v", wrong, err)
		}
	}
	if err := Rename(archive, map[string]string{"Box_int_": "Box[int]", "box.New<int>": "box.New[int]"}); err != nil {
		t.Fatal(err)
	}
	importcfg := filepath.Join(dir, "importcfg")
	if err := os.WriteFile(importcfg, []byte("packagefile box="+archive+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	object := string(compile(t, std, importcfg, "package main\n\nimport \"box\"\n\nvar Size any = (*box.Alias)(nil)\n\nfunc unit() { println(box.New(1).Len()) }\n"))
	for _, name := range []string{"type:*box.Box[int]", "box.New[int]", "box.(*Box[int]).Len"} {
		if !strings.Contains(object, name) {
			t.Errorf("the unit does not refer to %s", name)
		}
	}
	for _, name := range []string{"Box_int_", "New<int>"} {
		if strings.Contains(object, name) {
			t.Errorf("the unit refers to %s", name)
		}
	}
	if err := Rename(importcfg, nil); err == nil || !strings.Contains(err.Error(), "is not the archive of a compiled package") {
		t.Errorf("a file that is no archive: %v", err)
	}
}
