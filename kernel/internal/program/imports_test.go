package program

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

// TestStdNames compares the packages that cells use by name alone with the
// toolchain's: each importable one stands under its own name.
func TestStdNames(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Name}}", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := newPackages(programtest.NewStd(t)).std
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
