package exportdata

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
	"golang.org/x/tools/imports"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// TestStdNames compares the packages that cells can use without an import with those of
// the toolchain: each must be found under its package name.
func TestStdNames(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Name}}", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := New(programtest.NewStd(t), "", nil).Std
	for line := range strings.Lines(string(out)) {
		importPath, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains(strings.Fields(stdPaths), importPath) {
			continue // internal, vendored, or of a newer release
		}
		if !slices.Contains(std[name], importPath) {
			t.Errorf("package %s is not found by its name, %s", importPath, name)
		}
	}
}

// TestByName compares the choice among packages of one name with that of
// goimports. It leaves out names for which goimports chooses at random.
func TestByName(t *testing.T) {
	p := New(programtest.NewStd(t), "", nil)
	for _, use := range []string{
		"rand.Intn(3)", "rand.Int()", "rand.Read(nil)", "rand.IntN(3)", "rand.Reader",
		"rand.New(rand.NewSource(1))", "rand.N(3)", "rand.Float64()", `template.HTML("a")`,
		"scanner.ScanIdents", "scanner.ErrorList{}", "pprof.StartCPUProfile(nil)", "pprof.Index",
		"heap.Init", "version.Lang", "list.New()", "parser.ParseFile",
	} {
		name, rest, _ := strings.Cut(use, ".")
		sels := []string{strings.FieldsFunc(rest, func(r rune) bool { return !isLetter(r) })[0]}
		if strings.Contains(rest, "NewSource") {
			sels = append(sels, "NewSource")
		}
		out, err := imports.Process("a.go", []byte("package main\n\nfunc main() { _ = "+use+" }\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, want, _ := strings.Cut(string(out), `import "`)
		want, _, _ = strings.Cut(want, `"`)
		if got := p.ByName(name, sels); got != want {
			t.Errorf("%s: got %q, goimports takes %q", use, got, want)
		}
	}
}

func isLetter(r rune) bool { return r == '_' || r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' }
