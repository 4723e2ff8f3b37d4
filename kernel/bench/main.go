// Bench measures a kernel process as a front end sees it, through the real protocol over
// sockets, from the request to idle. It prints ratios between measurements of the same run,
// since machines and their load differ.
//
//	go run ./kernel/bench [-n 60] [-only hello,native]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

var (
	rounds     = flag.Int("n", 60, "how often to run each cell")
	interrupts = flag.Int("interrupts", 100, "how often to interrupt each kind of cell")
	perijove   = flag.String("perijove", "", "the program to measure; if empty, it is built from the sources")
	against    = flag.String("against", "", "another perijove, for the section against")
	only       = flag.String("only", "", "the sections to run, separated by commas; all if empty")
)

// sections are the parts of the table, in order.
var sections = []struct {
	name    string
	measure func(context.Context, *kernel, *tabwriter.Writer, string) error
}{
	{"start", startTimes}, {"hello", hello}, {"queue", queue}, {"kinds", kinds}, {"library", library}, {"notebook200", notebook200}, {"plot", plot}, {"native", native},
	{"memory", memory}, {"child", childStart}, {"interrupt", interruptLatency},
	{"crash", crashes}, {"output", throughput}, {"peers", peers}, {"against", versions},
}

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// chosen returns the names of the sections to run.
func chosen() ([]string, error) {
	var all []string
	for _, s := range sections {
		all = append(all, s.name)
	}
	if *rounds < 1 || *interrupts < 1 {
		return nil, fmt.Errorf("-n is %d and -interrupts is %d, but both must be at least 1", *rounds, *interrupts)
	}
	if *only == "" {
		return all, nil
	}
	names := strings.Split(*only, ",")
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("the option -only names the section %q, which does not exist; the sections are %s", n, strings.Join(all, ", "))
		}
	}
	return names, nil
}

func run(ctx context.Context) error {
	names, err := chosen()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "perijove-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	k, err := startKernel(ctx, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	fmt.Printf("%s, %s/%s, %d cores, medians of %d with the quartiles\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for _, s := range sections {
		if !slices.Contains(names, s.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", s.name)
		sub := filepath.Join(dir, s.name)
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if err := s.measure(ctx, k, w, sub); err != nil {
			return fmt.Errorf("cannot measure the section %q: %w", s.name, err)
		}
	}
	return nil
}

// row prints one line of the table.
func row(w *tabwriter.Writer, name string, s sample, note string) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", name, s, note)
}

// startTimes measures the time from a kernel's start until it answers. The image exists already.
func startTimes(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	var ready, first sample
	for i := range 5 {
		sub := filepath.Join(dir, fmt.Sprint("start", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		k, err := startKernel(ctx, sub)
		if err != nil {
			return err
		}
		ready = append(ready, k.readyAfter)
		d, err := k.cell(ctx, `fmt.Println("hello")`)
		k.stop()
		if err != nil {
			return err
		}
		first = append(first, d)
	}
	row(w, "kernel start to kernel_info", ready, "")
	row(w, "first cell after start", first, "")
	return nil
}

// hello compares a cell with go run of the same program and with the compiler alone, in
// turns. The text is new each time, in the cell and in the program. hello also prints the
// time of go run for a program that it has run before, whose executable is cached.
func hello(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	program := filepath.Join(dir, "hello.go")
	write := func(statement string) error {
		return os.WriteFile(program, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { "+statement+" }\n"), 0o644)
	}
	cfg, err := stdImportcfg(ctx, dir, "fmt")
	if err != nil {
		return err
	}
	var cell, goRun, again, compile sample
	for i := range *rounds {
		statement := fmt.Sprintf(`fmt.Println("hello %d %d")`, i, os.Getpid())
		if err := write(statement); err != nil {
			return err
		}
		d, err := k.cell(ctx, statement)
		if err != nil {
			return err
		}
		cell = append(cell, d)
		if d, err = timed(compileCommand(ctx, dir, cfg, program)); err != nil {
			return err
		}
		compile = append(compile, d)
		if i%4 != 0 {
			continue
		}
		for _, s := range []*sample{&goRun, &again} {
			if d, err = timed(goCommand(ctx, dir, "run", program)); err != nil {
				return err
			}
			*s = append(*s, d)
		}
	}
	times := func(s sample) string {
		return fmt.Sprintf("the cell is %.1f × faster", s.median().Seconds()/cell.median().Seconds())
	}
	row(w, "hello, request to idle", cell, "")
	row(w, "  the compiler alone", compile, fmt.Sprintf("the cell takes %.2f × as long", cell.median().Seconds()/compile.median().Seconds()))
	row(w, "  go run of the program", goRun, times(goRun))
	row(w, "  go run a second time", again, times(again))
	return nil
}

// kinds measures common kinds of cells.
func kinds(ctx context.Context, k *kernel, w *tabwriter.Writer, _ string) error {
	for _, c := range []struct{ name, first, code string }{
		{"variable change", "counter := 0", "counter++"},
		{"function definition", "", "func twice(n int) int { return 2 * n }"},
		{"compile error", "", "undefinedName + 1"},
	} {
		if c.first != "" {
			if _, err := k.cell(ctx, c.first); err != nil {
				return err
			}
		}
		var s sample
		for range *rounds {
			d, err := k.timedCell(ctx, c.code)
			if err != nil {
				return err
			}
			s = append(s, d)
		}
		row(w, c.name, s, "")
	}
	return nil
}

// library measures cells that use generic types and functions of lib/mp, which each cell
// compiles for its type arguments, in turns with a hello.
func library(ctx context.Context, k *kernel, w *tabwriter.Writer, _ string) error {
	cells := []struct{ name, code string }{
		{"hello, in turns with the cells below", `fmt.Println("hello")`},
		{"a cell with a Value", `{ v, _ := mp.NewValue(mp.Goroutines, 1); mp.Add(v, 1) }`},
		{"a cell with a Queue", `{ q, _ := mp.NewQueue[int](mp.Goroutines, 1); q.TryPut(1) }`},
		{"a cell with a Map", `{ var p mp.Pool; mp.Map[int](ctx, &p, benchSquare, []int{1, 2}) }`},
		{"a cell with a Stream", `{ var p mp.Pool; for range mp.Stream[int](ctx, &p, benchSquare, slices.Values([]int{1, 2})) {} }`},
	}
	if _, err := k.cell(ctx, "import \"github.com/perijove/perijove/lib/mp\"\nfunc benchSquare(n int) int { return n * n }"); err != nil {
		return err
	}
	samples := make([]sample, len(cells))
	for range *rounds {
		for i, c := range cells {
			d, err := k.cell(ctx, c.code)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], d)
		}
	}
	for i, c := range cells {
		note := ""
		if i > 0 {
			note = fmt.Sprintf("%.2f × hello", samples[i].median().Seconds()/samples[0].median().Seconds())
		}
		row(w, c.name, samples[i], note)
	}
	return nil
}

// notebook200 measures a cell in a notebook with 200 cells of declarations.
func notebook200(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	sub := filepath.Join(dir, "many")
	if err := os.Mkdir(sub, 0o755); err != nil {
		return err
	}
	k, err := startKernel(ctx, sub)
	if err != nil {
		return err
	}
	defer k.stop()
	const use = `fmt.Println(F7(1), len(Table9))`
	if _, err := k.cell(ctx, "func F7(n int) int { return n }\nvar Table9 []string"); err != nil {
		return err
	}
	var few, many sample
	for range *rounds {
		d, err := k.cell(ctx, use)
		if err != nil {
			return err
		}
		few = append(few, d)
	}
	for i := range 200 {
		code := fmt.Sprintf(`type T%[1]d struct{ A, B int; Names []string }
func (t *T%[1]d) Sum() int { return t.A + t.B + len(t.Names) }
func F%[1]d(n int) int { s := 0; for i := range n { s += i %% (%[1]d + 1) }; return s }
var Table%[1]d = make([]string, %[1]d)`, i)
		if _, err := k.cell(ctx, code); err != nil {
			return err
		}
	}
	for range *rounds {
		d, err := k.cell(ctx, use)
		if err != nil {
			return err
		}
		many = append(many, d)
	}
	row(w, "a cell after 200 cells of declarations", many, fmt.Sprintf("%.2f × the same cell before them", many.median().Seconds()/few.median().Seconds()))
	return nil
}

// plot measures plots, each in turns with one that is drawn only as SVG.
func plot(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	const code = `import ("gonum.org/v1/plot"; "gonum.org/v1/plot/plotter"; "github.com/perijove/perijove/lib/display")
p := plot.New()
line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}, {X: 2, Y: 4}})
if err != nil { panic(err) }
p.Add(line)
display.Show(%s)`
	both, vector := fmt.Sprintf(code, "p"), fmt.Sprintf(code, "display.Vector(p)")
	var cold, warm, warmVector sample
	for i := range 5 {
		sub := filepath.Join(dir, fmt.Sprint("plot", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		k, err := startKernel(ctx, sub)
		if err != nil {
			return err
		}
		d, err := k.cell(ctx, both)
		if err != nil {
			return err
		}
		cold = append(cold, d)
		with, without, err := inTurns(max(1, *rounds/5),
			func() (time.Duration, error) { return k.cell(ctx, both) },
			func() (time.Duration, error) { return k.cell(ctx, vector) })
		if err != nil {
			return err
		}
		warm, warmVector = append(warm, with...), append(warmVector, without...)
		k.stop()
	}
	row(w, "gonum/plot, first in a kernel", cold, "")
	row(w, "gonum/plot, again", warm, fmt.Sprintf("%.2f × the same as SVG only", warm.median().Seconds()/warmVector.median().Seconds()))
	row(w, "gonum/plot, again, as SVG only", warmVector, "")
	return nil
}
