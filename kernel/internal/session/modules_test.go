package session

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"golang.org/x/tools/txtar"
)

// sessionIn returns a session for a notebook in a new folder with the files of a txtar
// archive.
func sessionIn(t *testing.T, files string) *Session {
	t.Helper()
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(files)).Files {
		writeFile(t, filepath.Join(dir, f.Name), f.Data)
	}
	s, err := New(Config{Image: img, Dir: filepath.Join(dir, "notebooks"), CacheDir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// show executes a cell and returns its transcript.
func show(t *testing.T, s *Session, code string) string {
	t.Helper()
	tr := &transcript{}
	s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, tr)
	return tr.text()
}

// TestModuleBesideNotebook imports packages of the module that contains the notebook:
// cells share their variables, and their init functions run once.
func TestModuleBesideNotebook(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/shop

go 1.26
-- notebooks/x.txt --
-- price/price.go --
package price

import "fmt"

var Started int

func init() { Started++; fmt.Println("price starts") }

type Money int

func (m Money) String() string { return fmt.Sprintf("%d.%02d", int(m)/100, int(m)%100) }

var table = map[string]Money{"tea": 250}

func Of(what string) Money { return table[what] }
`)
	if got, want := show(t, s, "import \"example.com/shop/price\"\nprice.Of(\"tea\")"), "[stdout]\nprice starts\n[result text/plain]\n2.50\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := show(t, s, "price.Started++\nvar m price.Money = 99"); got != "" {
		t.Errorf("got %q", got)
	}
	if got, want := show(t, s, "fmt.Println(price.Started, m, any(m).(fmt.Stringer))"), "[stdout]\n2 0.99 0.99\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOtherVersion imports a package of the image in another version, which the
// notebook's module requires.
func TestOtherVersion(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/other

go 1.26

require gonum.org/v1/plot v0.0.0

replace gonum.org/v1/plot => ./plot
-- notebooks/x.txt --
-- plot/go.mod --
module gonum.org/v1/plot

go 1.26
-- plot/plot.go --
package plot

type Plot struct{ Name string }

func New() *Plot { return &Plot{Name: "the module's own"} }
`)
	if got, want := show(t, s, "import \"gonum.org/v1/plot\"\nplot.New().Name"), "[result text/plain]\n\"the module's own\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLibraryInItsOwnModule imports this project's library in a notebook that lies in
// this project's module: cells get the copy that the worker process contains, since child processes and displays depend
// on it.
func TestLibraryInItsOwnModule(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module github.com/perijove/perijove

go 1.26
-- notebooks/x.txt --
-- lib/display/displayhost/sink.go --
package displayhost

func Hosted() bool { return false }
`)
	if got, want := show(t, s, "import \"github.com/perijove/perijove/lib/display/displayhost\"\ndisplayhost.Hosted()"), "[result text/plain]\ntrue\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMissingPackage: the error names the directive that gets the package.
func TestMissingPackage(t *testing.T) {
	s := newTestSession(t)
	if got := show(t, s, `import "example.com/a/b"`); !strings.Contains(got, "%get example.com/a/b") {
		t.Errorf("got %q", got)
	}
}

// TestModuleMadeByCell: a go.mod that a cell creates takes effect in the next cell.
func TestModuleMadeByCell(t *testing.T) {
	s := sessionIn(t, `
-- notebooks/x.txt --
-- notebooks/price/price.go --
package price

const Tea = 3
`)
	const use = "import \"example.com/late/price\"\nprice.Tea"
	if text := show(t, s, use); !strings.Contains(text, "is not available here") {
		t.Errorf("before there is a go.mod: %s", text)
	}
	show(t, s, "!printf 'module example.com/late\\n\\ngo 1.26\\n' >go.mod")
	if text := show(t, s, use); text != "[result text/plain]\n3\n" {
		t.Errorf("with a go.mod: %s", text)
	}
}

// TestInternalPackages imports internal packages. A cell may import those that a package in the notebook's folder may
// import.
func TestInternalPackages(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/shop

go 1.26
-- notebooks/x.txt --
-- internal/price/price.go --
package price

const Tea = 250
-- other/internal/secret/secret.go --
package secret

const Tea = 125
-- cmd/tool/tool.go --
package tool

const Name = "tool"
`)
	if got, want := show(t, s, "import \"example.com/shop/internal/price\"\nprice.Tea"), "[result text/plain]\n250\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := show(t, s, "import \"example.com/shop/cmd/tool\"\ntool.Name"), "[result text/plain]\n\"tool\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, path := range []string{"internal/abi", "crypto/internal/fips140", "vendor/golang.org/x/net/idna", "example.com/shop/other/internal/secret", "github.com/perijove/perijove/lib/internal/cgroup"} {
		got, want := show(t, s, "import _ \""+path+"\""), "use of internal package "+path+" not allowed"
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestChangeIntoModule imports packages of a module into which %cd has changed.
func TestChangeIntoModule(t *testing.T) {
	const files = `
-- notebooks/x.txt --
-- one/go.mod --
module example.com/one

go 1.26
-- one/p/p.go --
package p

const P = 1
-- one/sub/s.txt --
-- two/go.mod --
module two

go 1.26
-- two/q/q.go --
package q

const Q = 2
-- new/r/r.go --
package r

const R = 3
`
	s := sessionIn(t, files)
	mustContain(t, show(t, s, "import \"example.com/one/p\""), "%get example.com/one/p")
	show(t, s, "%cd ../one/sub")
	expect(t, s, "import \"example.com/one/p\"\np.P", "[result text/plain]\n1\n")
	show(t, s, "%cd ../../two")
	mustContain(t, show(t, s, "import \"two/q\"\nq.Q"), "package two/q is in the module in ", "uses packages of the module in ", "%restart switches to the other module")
	expect(t, s, "p.P", "[result text/plain]\n1\n")
	show(t, s, "%restart")
	expect(t, s, "import \"two/q\"\nq.Q", "[result text/plain]\n2\n")
	show(t, s, "%cd ../one\n%restart")
	expect(t, s, "q.Q", "[result text/plain]\n2\n")

	s = sessionIn(t, files)
	show(t, s, "%cd ../new")
	show(t, s, "!printf 'module example.com/new\\ngo 1.26\\n' > go.mod")
	expect(t, s, "import \"example.com/new/r\"\nr.R", "[result text/plain]\n3\n")

	s = sessionIn(t, files+"-- go.mod --\nmodule example.com/outer\n\ngo 1.26\n-- o/o.go --\npackage o\n\nconst O = 4\n")
	expect(t, s, "import \"example.com/outer/o\"\no.O", "[result text/plain]\n4\n")
	show(t, s, "!mkdir geo.v2 && printf 'module example.com/inner\\ngo 1.26\\n' > go.mod && printf 'package geo\\nconst G = 5\\n' > geo.v2/g.go")
	mustContain(t, show(t, s, "import \"example.com/inner/geo.v2\""), "%restart switches to the other module")
	show(t, s, "%restart")
	expect(t, s, "import \"example.com/inner/geo.v2\"\ngeo.G", "[result text/plain]\n5\n")

	s = sessionIn(t, files+"-- go.mod --\nmodule example.com/outer\n\ngo 1.26\n")
	show(t, s, "%cd ../two")
	expect(t, s, "import \"two/q\"\nq.Q", "[result text/plain]\n2\n")
}
