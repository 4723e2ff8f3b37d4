package goobj

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	for path, escaped := range map[string]string{
		"fmt":                              "fmt",
		"gopkg.in/yaml.v3":                 "gopkg.in/yaml%2ev3",
		"gopkg.in/yaml.v3/sub":             "gopkg.in/yaml.v3/sub",
		"example.com/otel/semconv/v1.43.0": "example.com/otel/semconv/v1%2e43%2e0",
		"example.com":                      "example%2ecom",
		"example.com/100%/ü":               "example.com/100%25/%c3%bc",
	} {
		if got := EscapePath(path); got != escaped {
			t.Errorf("EscapePath(%q) = %q, want %q", path, got, escaped)
		}
		if got, err := UnescapePath(escaped); got != path || err != nil {
			t.Errorf("UnescapePath(%q) = %q, %v, want %q", escaped, got, err, path)
		}
	}
	for _, bad := range []string{"a%", "a%2", "a%2x", "%%", "a%+1"} {
		if got, err := UnescapePath(bad); err == nil {
			t.Errorf("UnescapePath(%q) = %q without an error", bad, got)
		}
	}
}

// TestPathsInObject checks the names in an object for packages whose paths have
// dots in the last element: package paths are not escaped, symbol names are, as in
// the linker and in runtime.FuncForPC.
func TestPathsInObject(t *testing.T) {
	dir := t.TempDir()
	write := func(name, src string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	build := func(path, out, src, cfg string) *Object {
		cmd := exec.CommandContext(t.Context(), "go", "tool", "compile", "-p", path, "-o", filepath.Join(dir, out), "-importcfg", write("cfg", cfg), write(out+".go", src))
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		b, err := os.ReadFile(filepath.Join(dir, out))
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, b)
	}
	dotted := build("example.com/a.v2", "a.a", "package a\n\nfunc F() int { return g(3) }\n\n//go:noinline\nfunc g(n int) int { return n }\n", "")
	names := func(o *Object) (list []string) {
		for i := range o.NumDef() {
			list = append(list, o.Sym(i).Name())
		}
		return list
	}
	if list := names(dotted); !slices.Contains(list, "example.com/a%2ev2.g") {
		t.Errorf("the object defines %q", list)
	}
	user := build("example.com/b", "b.a", "package b\n\nimport \"example.com/a.v2\"\n\nfunc F() int { return a.F() }\n", "packagefile example.com/a.v2="+filepath.Join(dir, "a.a")+"\n")
	var imports, packages []string
	for _, im := range user.Imports() {
		imports = append(imports, im.Path)
		if im.Fingerprint != dotted.Fingerprint {
			t.Errorf("%s is imported with fingerprint %x, and has %x", im.Path, im.Fingerprint, dotted.Fingerprint)
		}
	}
	for i := range user.pkgs {
		packages = append(packages, user.Package(uint32(i)))
	}
	if want := "example.com/a.v2"; !slices.Contains(imports, want) || !slices.Contains(packages, want) {
		t.Errorf("imports %q, packages %q: both must have %s", strings.Join(imports, " "), packages, want)
	}
}
