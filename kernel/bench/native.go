package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// loops are functions that take about 100 ms each. They are measured in a cell and in a
// program built by go build.
var loops = []struct{ name, decl, call string }{
	{"fib(38)", "func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }", "fib(38)"},
	{"floats", "func floats() (s float64) { for i := range 60_000_000 { x := (float64(i) + 0.5) / 6e7; s += 4 / (1 + x*x) }; return s }", "floats()"},
	{"map", "func count() int { m := map[int]int{}; for i := range 3_000_000 { m[i%5000] += i }; return len(m) }", "count()"},
	{"sort", "func sorted() int { l := make([]int, 1_000_000); x := uint32(1); for i := range l { x = x*1664525 + 1013904223; l[i] = int(x >> 8) }; sort.Ints(l); return l[0] }", "sorted()"},
	{"calls with defer", "var depth int\n//go:noinline\nfunc deferred() { defer leave(); depth++ }\nfunc leave() { depth-- }\nfunc defers() int { for range 20_000_000 { deferred() }; return depth }", "defers()"},
}

// native runs each loop in a cell and in a built program, in random order, and prints the
// ratio of the medians with a bootstrap interval. The program stays alive between runs, like
// the worker process.
func native(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	const runs = 20
	for _, l := range loops {
		p, err := buildLoop(ctx, dir, l.decl, l.call)
		if err != nil {
			return err
		}
		if _, err := k.cell(ctx, l.decl); err != nil {
			p.stop()
			return err
		}
		cells, built, err := inTurns(runs, func() (time.Duration, error) { return k.inside(ctx, l.call) }, p.run)
		p.stop()
		if err != nil {
			return fmt.Errorf("cannot measure the loop %q: %w", l.name, err)
		}
		lo, hi := ratioInterval(cells, built)
		row(w, l.name+" in a cell", cells, fmt.Sprintf("%.3f × go build, 95 %%: %.3f to %.3f",
			cells.median().Seconds()/built.median().Seconds(), lo, hi))
	}
	return nil
}

// inTurns measures a and b n times each, in random order, after one run of each that does not count.
func inTurns(n int, a, b func() (time.Duration, error)) (as, bs sample, err error) {
	of, to := []func() (time.Duration, error){a, b}, []*sample{&as, &bs}
	for round := range n + 1 {
		for _, i := range rand.Perm(2) {
			d, err := of[i]()
			if err != nil {
				return nil, nil, err
			}
			if round > 0 {
				*to[i] = append(*to[i], d)
			}
		}
	}
	return as, bs, nil
}

// inside runs a call in a cell, and returns the time of the call as measured in the cell.
func (k *kernel) inside(ctx context.Context, call string) (time.Duration, error) {
	return k.insideAfter(ctx, "", call)
}

// insideAfter is inside after a statement that is not measured.
func (k *kernel) insideAfter(ctx context.Context, before, call string) (time.Duration, error) {
	_, messages, err := k.execute(ctx, "{ "+before+"; start := time.Now(); r := "+call+"; runtime.KeepAlive(r); fmt.Println(time.Since(start).Nanoseconds()) }")
	if err == nil {
		err = failed(messages)
	}
	if err != nil {
		return 0, err
	}
	text, err := printed(messages)
	if err != nil {
		return 0, err
	}
	return nanoseconds(text)
}

func nanoseconds(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return time.Duration(n), err
}

// A loop is a process of a program built by go build. For each line that it reads it runs its
// call and prints the time.
type loop struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func buildLoop(ctx context.Context, dir, decl, call string) (*loop, error) {
	program, binary := filepath.Join(dir, "loop.go"), filepath.Join(dir, "loop")
	src := "package main\n\nimport (\"bufio\"; \"fmt\"; \"os\"; \"runtime\"; \"sort\"; \"time\")\n\nvar _ = sort.Ints\n\n" + decl +
		"\n\nfunc once() { start := time.Now(); r := " + call + "; runtime.KeepAlive(r); fmt.Println(time.Since(start).Nanoseconds()) }\n" +
		"func main() { for s := bufio.NewScanner(os.Stdin); s.Scan(); { once() } }\n"
	if err := os.WriteFile(program, []byte(src), 0o644); err != nil {
		return nil, err
	}
	if out, err := goCommand(ctx, dir, "build", "-o", binary, program).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build the program %s: %w\n%s", program, err, out)
	}
	l := &loop{cmd: exec.CommandContext(ctx, binary)}
	var err error
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.out = bufio.NewReader(out)
	return l, l.cmd.Start()
}

func (l *loop) run() (time.Duration, error) {
	if _, err := io.WriteString(l.in, "\n"); err != nil {
		return 0, err
	}
	line, err := l.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return nanoseconds(line)
}

func (l *loop) stop() {
	l.in.Close()
	_ = l.cmd.Wait()
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GO111MODULE=off")
	return cmd
}
