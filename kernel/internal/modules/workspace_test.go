package modules

import (
	"fmt"
	"path/filepath"
	"testing"
)

func TestGetLine(t *testing.T) {
	for _, tt := range []struct {
		members []string
		want    string
	}{
		{[]string{"/w/a"}, "%get example.com/x example.com/y"},
		{[]string{"/w/a", "/w/b"}, "!go -C /w/a get example.com/x example.com/y"},
		{[]string{"/w/it's a", "/w/b"}, `!go -C '/w/it'\''s a' get example.com/x example.com/y`},
	} {
		if got := getLine(tt.members, "example.com/x", "example.com/y"); got != tt.want {
			t.Errorf("of %q: %s, want %s", tt.members, got, tt.want)
		}
	}
}

func TestWorkspaceMembers(t *testing.T) {
	const files = "-- go.work --\ngo 1.26\n\nuse ./a\nuse ./b\n-- a/go.mod --\nmodule a\n-- b/go.mod --\nmodule b\n"
	dir := writeTree(t, files)
	m := testModules(t, dir)
	if got, want := fmt.Sprint(m.members()), fmt.Sprint([]string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}); got != want {
		t.Errorf("members %s, want %s", got, want)
	}
	if m = testModules(t, filepath.Join(dir, "a")); m.members() != nil || m.Dir() == dir {
		t.Errorf("a notebook in a module of the workspace: members %q, module %s", m.members(), m.Dir())
	}
}

func TestVendorDir(t *testing.T) {
	dir := writeTree(t, "-- go.mod --\nmodule a\n-- vendor/modules.txt --\n-- vendor/example.com/x/x.go --\npackage x\n")
	m := testModules(t, dir)
	if got := m.vendorDir(); got != filepath.Join(dir, "vendor") {
		t.Errorf("vendor folder %q", got)
	}
	for path, want := range map[string]bool{"example.com/x": false, "example.com/y": true, "fmt": false, "a/b": false} {
		if m.lacksVendored(path) != want {
			t.Errorf("lacks %s: %v", path, !want)
		}
	}
	if m.Setenv("GOFLAGS", "-mod=mod") {
		if got := m.vendorDir(); got != "" {
			t.Errorf("with -mod=mod: vendor folder %q", got)
		}
	}
}
