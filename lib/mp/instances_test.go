package mp_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstancesAreSmall checks that a notebook cell compiles few functions of this
// package each time that it runs. A signature or field with a type that reaches
// reflect, os or sync would add dozens of their functions.
func TestInstancesAreSmall(t *testing.T) {
	config := importConfig(t)
	for use, most := range map[string]int{
		`var l mp.Mutex; l.Lock(); l.Unlock()`:                                                        2,
		`v, _ := mp.NewValue(mp.Processes, 1); mp.Add(v, 1)`:                                          21,
		`a, _ := mp.NewArray[float64](mp.Processes, 9); a.Slice()`:                                    23,
		`q, _ := mp.NewQueue[point](mp.Goroutines, 0); q.Put(ctx, point{})`:                           36,
		`c, _, _ := mp.NewPipe[point](mp.Processes); c.Send(ctx, point{})`:                            25,
		`var g mp.Group; mp.GoIn[int](&g, square, 1); g.Wait(ctx)`:                                    55,
		`mp.Start(ctx, mp.Processes, use, 1)`:                                                         20,
		`mp.Go[int](ctx, mp.Processes, square, 1)`:                                                    55,
		`p, _ := mp.NewPool(mp.Processes, mp.Workers(2)); mp.Map[int](ctx, p, square, []int{1, 2})`:   18,
		`var p mp.Pool; mp.ForEach(ctx, &p, use, []int{1, 2})`:                                        22,
		`var p mp.Pool; mp.Submit[int](ctx, &p, square, 1).Result(ctx)`:                               24,
		`var p mp.Pool; for range mp.Stream[int](ctx, &p, square, func(yield func(int) bool) {}) { }`: 28,
		`var p mp.Pool; mp.Map[int](ctx, &p, square, []int{1}, mp.Progress(func(_, _ int) {}))`:       18,
		`r, _ := mp.Serve(new(point)); mp.Ask[int](ctx, r, (*point).move, 1)`:                         26,
	} {
		if names := compiled(t, config, use); len(names) > most {
			t.Errorf("%s\ncompiles %d functions, want at most %d:\n%s", use, len(names), most, strings.Join(names, "\n"))
		} else {
			t.Logf("%2d functions: %s", len(names), use)
		}
	}
}

// importConfig writes a file that tells the compiler where the packages are, and
// returns its name.
func importConfig(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "importcfg")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// compiled returns the functions that the compiler generates for a package with the
// code use.
func compiled(t *testing.T, config, use string) []string {
	t.Helper()
	source := fmt.Sprintf(`package cell

import (
	"context"

	"github.com/perijove/perijove/lib/mp"
)

type point struct{ x, y int }

func (p *point) move(by int) int { p.x += by; return p.x }

func square(x int) int { return x * x }
func use(int)          {}

var ctx context.Context

func run() {
	%s
}
`, use)
	dir := t.TempDir()
	file, object := filepath.Join(dir, "cell.go"), filepath.Join(dir, "cell.o")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "tool", "compile", "-p", "cell", "-importcfg", config, "-o", object, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("go", "tool", "nm", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "T" && !strings.HasPrefix(f[2], "cell.") {
			names = append(names, strings.Join(f[2:], " "))
		}
	}
	return names
}
