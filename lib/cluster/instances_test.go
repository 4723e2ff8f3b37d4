package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstancesAreSmall checks that code which mentions a Cluster compiles few functions of generic types. A field with
// a type of the NATS server would add 700: the compiler compiles all instances of generic types that it reads.
func TestInstancesAreSmall(t *testing.T) {
	dir := t.TempDir()
	list, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	config, file, object := filepath.Join(dir, "importcfg"), filepath.Join(dir, "cell.go"), filepath.Join(dir, "cell.o")
	if err := os.WriteFile(config, list, 0o600); err != nil {
		t.Fatal(err)
	}
	for use, most := range map[string]int{
		`c.URL()`:                             160,
		`c.Pool()`:                            160,
		`c.DeadLetters(context.Background())`: 160,
		`cluster.NewValue(context.Background(), c, 1)`: 160,
	} {
		source := fmt.Sprintf("package cell\n\nimport (\n\t\"context\"\n\n\t\"github.com/perijove/perijove/lib/cluster\"\n)\n\nvar _ context.Context\nvar c *cluster.Cluster\n\nfunc run() {\n\t%s\n}\n", use)
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("go", "tool", "compile", "-l", "-p", "cell", "-importcfg", config, "-o", object, file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := exec.Command("go", "tool", "nm", object).Output()
		if err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(out), " T ")
		if n > most {
			t.Errorf("%s compiles %d functions, want at most %d:\n%s", use, n, most, out)
		} else {
			t.Logf("%2d functions: %s", n, use)
		}
	}
}
