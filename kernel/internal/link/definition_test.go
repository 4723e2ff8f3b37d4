package link

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/definers"
	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// listed maps import paths to files of compiled packages. It implements Archives.
type listed map[string]string

func (a listed) Archive(path string) (string, error) { return a[path], nil }
func (a listed) Has(path string) bool                { return a[path] != "" }
func (a listed) Thin(path string) (string, error)    { return "", nil }
func (a listed) All() (map[string]string, error)     { return a, nil }

func standard(t testing.TB, args ...string) listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	list := listed{}
	for line := range strings.Lines(string(out)) {
		if path, file, _ := strings.Cut(strings.TrimSpace(line), " "); file != "" {
			list[path] = file
		}
	}
	return list
}

// TestDefinersNeeded checks the names that the index leaves out: every object that refers to such a
// symbol defines it, or the package that the symbol is named after does.
func TestDefinersNeeded(t *testing.T) {
	archives := standard(t, "std")
	defined := map[string]bool{} // names that are defined by the package after which they are named
	for path, file := range archives {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objs, err := goobj.ParseArchive(b)
		if err != nil {
			t.Fatal(err)
		}
		own := &pkg{path: path}
		for _, o := range objs {
			own.objs = append(own.objs, &object{Object: o, pkg: own})
		}
		for _, o := range objs {
			for i := o.NumDef(); i < o.NumSyms(); i++ {
				name := o.Sym(i).Name()
				if definers.DefinedByAll(name) && name != "" && !strings.HasPrefix(name, "go:info.") { // symbols of debug information
					if _, ok := own.find(symKey{name, goobj.ABI0}); !ok && !defined[name] {
						defined[name] = ownerDefines(t, archives, name)
						if !defined[name] {
							t.Errorf("%s refers to %s, which package %s does not define", path, name, symname.Package(name))
						}
					}
				}
			}
		}
	}
}

func ownerDefines(t *testing.T, archives listed, name string) bool {
	t.Helper()
	l := &Linker{archives: archives, packages: map[string]*pkg{}}
	p, err := l.openPackage(symname.Package(name))
	if err != nil {
		return false
	}
	_, a := p.find(symKey{name, goobj.ABI0})
	_, b := p.find(symKey{name, goobj.ABIInternal})
	return a || b
}
