package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove/kernel/internal/output"
)

// serveModules makes a module proxy from a txtar archive whose files are named MODULE@VERSION/FILE, and makes the go
// command use only that proxy.
func serveModules(t *testing.T, files string) {
	t.Helper()
	newTestSession(t) // builds the image with the usual proxy
	proxy, src, cache := t.TempDir(), t.TempDir(), t.TempDir()
	found := map[module.Version]bool{}
	for _, f := range txtar.Parse([]byte(files)).Files {
		path, rest, _ := strings.Cut(f.Name, "@")
		version, name, _ := strings.Cut(rest, "/")
		writeFile(t, filepath.Join(src, path+"@"+version, name), f.Data)
		found[module.Version{Path: path, Version: version}] = true
	}
	for m := range found {
		dir := filepath.Join(src, m.String())
		base := filepath.Join(proxy, m.Path, "@v", m.Version)
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, base+".mod", mod)
		writeFile(t, base+".info", []byte(`{"Version": "`+m.Version+`"}`))
		z, err := os.Create(base + ".zip")
		if err == nil {
			err = zip.CreateFromDir(z, m, dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		z.Close()
		list, err := os.OpenFile(filepath.Join(filepath.Dir(base), "list"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = list.WriteString(m.Version + "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		list.Close()
	}
	t.Setenv("GOPROXY", "file://"+proxy)
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOMODCACHE", cache)
	t.Cleanup(func() {
		if out, err := exec.Command("go", "clean", "-modcache").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}

const completeModules = `
-- example.com/a@v1.0.0/go.mod --
module example.com/a

go 1.26

require example.com/b v1.0.0
-- example.com/a@v1.0.0/a.go --
package a

const A = 1
-- example.com/a@v1.0.0/x/x.go --
package x

import "example.com/b"

func X() int { return b.B + 1 }
-- example.com/b@v1.0.0/go.mod --
module example.com/b

go 1.26
-- example.com/b@v1.0.0/b.go --
package b

const B = 1
-- example.com/b@v1.1.0/go.mod --
module example.com/b

go 1.26
-- example.com/b@v1.1.0/b.go --
package b

const B = 10
-- example.com/a/nested@v1.0.0/go.mod --
module example.com/a/nested

go 1.26
-- example.com/a/nested@v1.0.0/n.go --
package nested

const N = 1
`

// TestCompletesUnimported completes names of a package that belongs to a required module and that no cell has imported.
func TestCompletesUnimported(t *testing.T) {
	serveModules(t, completeModules)
	s := sessionIn(t, "-- notebooks/x.txt --\n")
	show(t, s, "%get example.com/b@v1.0.0")
	for code, want := range map[string]string{"b.": "B", "b": "b"} {
		matches := func() bool { // false while the go command lists or compiles packages
			list, err := s.Complete(t.Context(), code, len(code))
			return err == nil && slices.ContainsFunc(list.Matches, func(m output.Match) bool { return m.Text == want })
		}
		for began := time.Now(); !matches(); time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%q is not completed to %q", code, want)
			}
		}
	}
	mustContain(t, show(t, s, "b.B"), `import "example.com/b" is missing`)
}

// TestCompletesSums imports packages of modules that %get has added, while go.sum
// lacks lines that they need.
func TestCompletesSums(t *testing.T) {
	serveModules(t, completeModules)
	s := sessionIn(t, "-- notebooks/x.txt --\n")
	show(t, s, "%get example.com/a")
	if got, want := show(t, s, "import \"example.com/a/x\"\nx.X()"), "[display text/plain]\ngo.sum has been completed for example.com/a/x\n[result text/plain]\n2\n[update text/plain]\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := show(t, s, "import \"example.com/a\"\nx.X() + a.A"), "[result text/plain]\n3\n"; got != want {
		t.Errorf("again: got %q, want %q", got, want)
	}
	if got, want := show(t, s, "import \"example.com/b\"\nb.B"), "[result text/plain]\n1\n"; got != want {
		t.Errorf("what the module needs: got %q, want %q", got, want)
	}
	before, err := os.ReadFile(filepath.Join(s.modules.Dir(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, show(t, s, "import \"example.com/a/nested\"\nnested.N"), "%get example.com/a/nested")
	mustContain(t, show(t, s, "import \"example.com/a/nothing\""), "example.com/a/nothing")
	mustContain(t, show(t, s, "import \"example.com/c\""), "%get example.com/c")
	after, err := os.ReadFile(filepath.Join(s.modules.Dir(), "go.mod"))
	if err != nil || string(after) != string(before) {
		t.Errorf("go.mod has become %s (%v)", after, err)
	}
}

// TestCompletesOwnModule imports packages of the notebook's module, which has no
// go.sum, and of a module in a folder whose requirements go.mod lacks.
func TestCompletesOwnModule(t *testing.T) {
	serveModules(t, completeModules)
	s := sessionIn(t, `
-- go.mod --
module example.com/own

go 1.26

// A remark that must stay.
require (
	example.com/a v1.0.0
	example.com/b v1.0.0 // indirect
	example.com/folder v0.0.0
)

replace example.com/folder => ./folder

replace example.com/other => ./other
-- use/use.go --
package use

import "example.com/a/x"

var N = x.X()
-- folder/go.mod --
module example.com/folder

go 1.26

require example.com/other v0.0.0

require example.com/b v1.1.0
-- folder/f.go --
package folder

import (
	"example.com/b"
	"example.com/other"
)

var F = other.O + b.B
-- other/go.mod --
module example.com/other

go 1.26
-- other/o.go --
package other

const O = 5
-- notebooks/x.txt --
`)
	got := show(t, s, "import (\n\"example.com/own/use\"\n\"example.com/folder\"\n)\nuse.N + folder.F")
	if want := "[result text/plain]\n26\n[update text/plain]\n\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	mustContain(t, got, "go.sum has been completed for example.com/own/use\ngo.mod and go.sum have been completed for example.com/folder\n")
	b, err := os.ReadFile(filepath.Join(s.modules.Dir(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, string(b), "// A remark that must stay.", "example.com/b v1.1.0")
	if got := show(t, s, "import \"example.com/own/missing\""); strings.Contains(got, "completed") {
		t.Errorf("a package that is missing: %q", got)
	}
}

// TestCompletesOffline: the error says why go.sum cannot be completed.
func TestCompletesOffline(t *testing.T) {
	serveModules(t, completeModules)
	t.Setenv("GOPROXY", "off")
	s := sessionIn(t, "-- go.mod --\nmodule example.com/own\n\ngo 1.26\n\nrequire example.com/a v1.0.0\n-- notebooks/x.txt --\n")
	mustContain(t, show(t, s, "import \"example.com/a\"\na.A"), "missing go.sum entry", "the kernel cannot complete go.mod and go.sum", "GOPROXY=off")
}
