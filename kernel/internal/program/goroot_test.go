package program

import (
	"context"
	"flag"
	"go/build/constraint"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var gorootN = flag.Int("gotest.n", 100, "how many of $GOROOT/test's run programs to build as cells; 0 for all")

// knownFailures are programs that cannot be built as cells, with the reason.
var knownFailures = map[string]string{}

// TestGoroot builds the programs of $GOROOT/test marked "// run" as cells,
// unchanged: -gotest.n of them, spread evenly over the list.
func TestGoroot(t *testing.T) {
	programs := runPrograms(t)
	step := 1
	if *gorootN > 0 && *gorootN < len(programs) {
		step = len(programs) / *gorootN
	}
	ran, failed := 0, 0
	for i := 0; i < len(programs); i += step {
		src, err := os.ReadFile(programs[i])
		if err != nil {
			t.Fatal(err)
		}
		ran++
		u, err := buildText(context.Background(), newProgram(t), 1, string(src))
		if err == nil {
			err = os.Remove(u.Object)
		}
		if name := filepath.Base(programs[i]); err != nil && knownFailures[name] == "" {
			failed++
			t.Errorf("%s: %v", programs[i], err)
		}
	}
	t.Logf("%d of %d programs built, %d failed", ran-failed, ran, failed)
}

// runPrograms lists the programs that run on this platform with no flags.
func runPrograms(t *testing.T) []string {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "test")
	var out []string
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, ".dir/") {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && isRun(string(data)) {
			out = append(out, path)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("no programs in %s: %v", root, err)
	}
	return out
}

// isRun reports whether the first comments of a program are "// run" without flags
// and build constraints that hold on this platform, and it does not use cgo.
func isRun(src string) bool {
	action := ""
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !strings.HasPrefix(line, "//") {
			break
		}
		if constraint.IsGoBuild(line) {
			x, err := constraint.Parse(line)
			if err != nil || !x.Eval(satisfied) {
				return false
			}
			continue
		}
		if action == "" {
			action = strings.TrimSpace(strings.TrimPrefix(line, "//"))
		}
	}
	return action == "run" && !strings.Contains(src, "import \"C\"")
}

func satisfied(tag string) bool {
	switch tag {
	case runtime.GOOS, runtime.GOARCH, "gc", "unix":
		return true
	}
	return strings.HasPrefix(tag, "go1.")
}
