package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

// loops are functions of which each takes some 100 ms: loaded code against a
// program that go build made.
var loops = []struct{ name, decl, call string }{
	{"fib(38)", "func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }", "fib(38)"},
	{"floats", "func floats() (s float64) { for i := range 60_000_000 { x := (float64(i) + 0.5) / 6e7; s += 4 / (1 + x*x) }; return s }", "floats()"},
	{"map", "func count() int { m := map[int]int{}; for i := range 3_000_000 { m[i%5000] += i }; return len(m) }", "count()"},
	{"sort", "func sorted() int { l := make([]int, 1_000_000); x := uint32(1); for i := range l { x = x*1664525 + 1013904223; l[i] = int(x >> 8) }; sort.Ints(l); return l[0] }", "sorted()"},
	{"calls with defer", "var depth int\n//go:noinline\nfunc deferred() { defer leave(); depth++ }\nfunc leave() { depth-- }\nfunc defers() int { for range 20_000_000 { deferred() }; return depth }", "defers()"},
}

var elapsed = regexp.MustCompile(`elapsed (\d+)`)

// native runs each loop as a cell and in a built program, in random turns, and
// prints the ratio of the medians with a bootstrap interval.
func native(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	const runs = 12
	for _, l := range loops {
		program := filepath.Join(dir, "loop.go")
		src := "package main\n\nimport (\"fmt\"; \"sort\"; \"time\")\n\nvar _ = sort.Ints\n\n" + l.decl +
			"\n\nfunc main() { start := time.Now(); r := " + l.call + "; fmt.Println(r, \"elapsed\", time.Since(start).Nanoseconds()) }\n"
		if err := os.WriteFile(program, []byte(src), 0o644); err != nil {
			return err
		}
		binary := filepath.Join(dir, "loop")
		if out, err := goCommand(ctx, dir, "build", "-o", binary, program).CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		if _, err := k.cell(ctx, l.decl); err != nil {
			return err
		}
		var cells, built sample
		for range runs {
			both := []func() (time.Duration, error){
				func() (time.Duration, error) { return k.inside(ctx, l.call) },
				func() (time.Duration, error) { return printed(exec.CommandContext(ctx, binary)) },
			}
			to := []*sample{&cells, &built}
			for _, i := range rand.Perm(2) {
				d, err := both[i]()
				if err != nil {
					return err
				}
				*to[i] = append(*to[i], d)
			}
		}
		lo, hi := ratioInterval(cells, built)
		row(w, l.name+" in a cell", cells, fmt.Sprintf("%.3f × go build, 95 %%: %.3f to %.3f",
			cells.median().Seconds()/built.median().Seconds(), lo, hi))
	}
	return nil
}

// inside runs a call in a cell that takes the time itself.
func (k *kernel) inside(ctx context.Context, call string) (time.Duration, error) {
	id, err := k.client.Execute("{ start := time.Now(); r := " + call + "; fmt.Println(r, \"elapsed\", time.Since(start).Nanoseconds()) }")
	if err != nil {
		return 0, err
	}
	messages, err := k.client.RecvUntilIdle(ctx, id)
	if err != nil {
		return 0, err
	}
	if _, err := k.client.RecvReply(ctx, kerneltest.Shell, id); err != nil {
		return 0, err
	}
	for _, m := range messages {
		if found := elapsed.FindSubmatch(m.Content); found != nil {
			n, err := strconv.Atoi(string(found[1]))
			return time.Duration(n), err
		}
	}
	return 0, fmt.Errorf("%s did not print its time", call)
}

func printed(cmd *exec.Cmd) (time.Duration, error) {
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	found := elapsed.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("%s did not print its time", cmd.Path)
	}
	n, err := strconv.Atoi(string(found[1]))
	return time.Duration(n), err
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GO111MODULE=off")
	return cmd
}
