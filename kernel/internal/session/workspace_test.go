package session

import (
	"os/exec"
	"strings"
	"testing"
)

// member is a module of a workspace that imports a package whose checksum is in no go.sum. The character % stands for
// the module's name.
const member = `
-- %/go.mod --
module example.com/%

go 1.26

require example.com/a v1.0.0
-- %/%.go --
package %

import "example.com/a/x"

var N = x.X()
`

// TestWorkspaceGets imports packages of a workspace's modules and of their requirements, and gets others with %get.
func TestWorkspaceGets(t *testing.T) {
	serveModules(t, completeModules)
	app, lib := strings.ReplaceAll(member, "%", "app"), strings.ReplaceAll(member, "%", "lib")
	notebooks := strings.ReplaceAll(member, "%", "notebooks")

	t.Run("one module", func(t *testing.T) {
		s := sessionIn(t, "-- go.work --\ngo 1.26\n\nuse ./app\n"+app+"-- notebooks/x.txt --\n")
		mustEnd(t, show(t, s, "import \"example.com/a/x\"\nx.X()"), "[result text/plain]\n2\n")
		mustEnd(t, show(t, s, "import \"example.com/app\"\napp.N"), "[result text/plain]\n2\n")
		mustContain(t, show(t, s, "import \"example.com/a/nested\"\nnested.N"), "%get example.com/a/nested")
		mustContain(t, show(t, s, "%get example.com/a/nested"), "added example.com/a/nested v1.0.0")
		mustEnd(t, show(t, s, "import \"example.com/a/nested\"\nnested.N"), "[result text/plain]\n1\n")
	})
	t.Run("two modules", func(t *testing.T) {
		s := sessionIn(t, "-- go.work --\ngo 1.26\n\nuse (\n\t./app\n\t./lib\n)\n"+app+lib+"-- notebooks/x.txt --\n")
		get := "!go -C " + s.modules.Dir() + "/app get example.com/a/nested"
		mustEnd(t, show(t, s, "import (\n\"example.com/app\"\n\"example.com/lib\"\n)\napp.N + lib.N"), "[result text/plain]\n4\n")
		mustContain(t, show(t, s, "import \"example.com/a/nested\"\nnested.N"), "from this notebook:  "+get)
		mustContain(t, show(t, s, "import \"example.com/c\"\nc.C"), "package example.com/c is not available here; to get it for a module of the workspace:  !go -C "+s.modules.Dir()+"/app get example.com/c")
		mustContain(t, show(t, s, "%get example.com/a/nested"), "is a workspace of 2 modules", get)
		mustContain(t, show(t, s, get), "added example.com/a/nested v1.0.0")
		mustEnd(t, show(t, s, "import \"example.com/a/nested\"\nnested.N"), "[result text/plain]\n1\n")
	})
	t.Run("in a module", func(t *testing.T) {
		s := sessionIn(t, "-- go.work --\ngo 1.26\n\nuse ./notebooks\n"+notebooks)
		mustEnd(t, show(t, s, "import \"example.com/a/x\"\nx.X()"), "[result text/plain]\n2\n")
		got := show(t, s, "import \"example.com/a/missing\"")
		mustContain(t, got, "example.com/a/missing")
		if strings.Contains(got, "completing") {
			t.Errorf("a workspace's module cannot be completed, but %q", got)
		}
	})
}

// TestVendor imports packages that a vendor folder contains, and one that it does not.
func TestVendor(t *testing.T) {
	serveModules(t, completeModules)
	s := sessionIn(t, `
-- go.mod --
module example.com/app

go 1.26

require example.com/a v1.0.0
-- app/app.go --
package app

import "example.com/a"

var N = a.A
-- notebooks/x.txt --
`)
	goCommand := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = s.modules.Dir()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	goCommand("mod", "tidy")
	goCommand("mod", "vendor")
	mustEnd(t, show(t, s, "import \"example.com/a\"\na.A"), "[result text/plain]\n1\n")
	mustEnd(t, show(t, s, "import \"example.com/app/app\"\napp.N"), "[result text/plain]\n1\n")
	got := show(t, s, "import \"example.com/a/x\"\nx.X()")
	mustContain(t, got, "package example.com/a/x is not in "+s.modules.Dir()+"/vendor", "import the package in a Go file of the module and run  !go mod vendor , or remove the folder")
	if strings.Contains(got, "%get") {
		t.Errorf("the module is required already, but %q", got)
	}
	mustContain(t, show(t, s, "import \"example.com/b\"\nb.B"), "run  %get example.com/b , import the package in a Go file of the module and run  !go mod vendor")
	mustContain(t, show(t, s, "%get example.com/b"), "/vendor was not changed", "!go mod vendor")
	writeFile(t, s.modules.Dir()+"/app/more.go", []byte("package app\n\nimport (\n\t_ \"example.com/a/x\"\n\t_ \"example.com/b\"\n)\n"))
	mustContain(t, show(t, s, "import \"example.com/b\"\nb.B"), "go mod vendor")
	show(t, s, "%cd ..\n!go mod tidy && go mod vendor")
	mustEnd(t, show(t, s, "import (\n\"example.com/a/x\"\n\"example.com/b\"\n)\nx.X() + b.B"), "[result text/plain]\n21\n")
}

func mustEnd(t *testing.T, got, want string) {
	t.Helper()
	if !strings.HasSuffix(got, want) {
		t.Errorf("got %q, which does not end with %q", got, want)
	}
}
