// Command parallel compares package mp with Python's multiprocessing, and its goroutine
// backend with plain goroutines. It runs all measures in several rounds, in random
// order, and writes a table and a chart of the medians with 95 % intervals. With -scale
// it measures how the speed of both backends depends on the number of workers.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/perijove/perijove/internal/procfs"
	"github.com/perijove/perijove/lib/mp"
)

//go:embed parallel.py
var pythonSource string

// proc is the file system that package procfs reads.
var proc = os.DirFS("/")

func main() {
	mp.Init()
	if os.Getenv(familyRole) != "" {
		family()
		return
	}
	rounds := flag.Int("rounds", 7, "how often each measure is taken")
	only := flag.String("only", "", "take only measures whose name contains this")
	python := flag.String("python", "python3", "the Python to compare with; without it, only plain Go is compared")
	out := flag.String("o", "", "write the chart to NAME.svg and NAME.png, and its data to NAME.json")
	redraw := flag.String("redraw", "", "draw NAME.svg and NAME.png again from NAME.json, and measure nothing")
	scales := flag.Bool("scale", false, "measure with 1, 2, 4, 8 and 16 workers, as far as there are cores, in place of the comparison")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *redraw != "" {
		d, err := readDrawing(baseName(*redraw) + ".json")
		if err == nil {
			err = d.save(baseName(*redraw))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "parallel:", err)
			os.Exit(1)
		}
		return
	}
	if *scales {
		if err := scale(ctx, *rounds, *only); err != nil {
			fmt.Fprintln(os.Stderr, "parallel:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, *rounds, *only, *python, *out); err != nil {
		fmt.Fprintln(os.Stderr, "parallel:", err)
		os.Exit(1)
	}
}

// A result holds the values of a measure, one for each round and side.
type result struct {
	measure
	ours, theirs []float64
}

func run(ctx context.Context, rounds int, only, python, out string) error {
	if rounds < 1 {
		return fmt.Errorf("cannot measure with -rounds %d: the number of rounds must be at least 1", rounds)
	}
	script, version, cleanup, err := preparePython(ctx, python)
	if err != nil {
		return err
	}
	defer cleanup()
	var results []*result
	for _, m := range measures() {
		if strings.Contains(m.name, only) && (m.base != nil || version != "") {
			results = append(results, &result{measure: m})
		}
	}
	if len(results) == 0 && !promised(only) {
		return fmt.Errorf("there is nothing to measure: the option -only %q selects no measure, or only measures that need %s, which does not run on this machine", only, python)
	}
	before, busy := procfs.ReadLoad(proc), 0
	for i := range rounds {
		begin := procfs.ReadLoad(proc)
		for _, k := range rand.Perm(len(results)) {
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-45s", i+1, rounds, results[k].name)
			if err := results[k].measureRound(ctx, python, script); err != nil {
				return fmt.Errorf("cannot measure %q: %w", results[k].name, err)
			}
		}
		if procfs.ForeignCores(begin, procfs.ReadLoad(proc)) > maxForeignCores {
			busy++
		}
	}
	facts, err := limits(ctx, rounds, only)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "\r%80s\r", "")
	caption := describe(rounds, busy, version, procfs.ForeignCores(before, procfs.ReadLoad(proc)))
	fmt.Print(table(results), limitTable(facts), "\n", caption, "\n")
	if out == "" || len(results) == 0 {
		return nil
	}
	return newDrawing(results, caption).save(baseName(out))
}

// measureRound measures both sides once, in random order.
func (r *result) measureRound(ctx context.Context, python, script string) error {
	us := func() error {
		v, err := r.measure.ours(ctx)
		r.ours = append(r.ours, v)
		return err
	}
	them := func() error {
		v, err := r.measureOther(ctx, python, script)
		r.theirs = append(r.theirs, v)
		return err
	}
	sides := []func() error{us, them}
	first := rand.IntN(2)
	if err := sides[first](); err != nil {
		return err
	}
	return sides[1-first]()
}

func (r *result) measureOther(ctx context.Context, python, script string) (float64, error) {
	if r.base != nil {
		return r.base(ctx)
	}
	cmd := exec.CommandContext(ctx, python, script, r.python)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("cannot run the Python program of the measure with %s: %w", python, err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
}

// preparePython writes the script to a file, because Python's start method spawn needs
// a file. version is empty if there is no Python. The caller calls cleanup at the end.
func preparePython(ctx context.Context, python string) (script, version string, cleanup func(), err error) {
	b, err := exec.CommandContext(ctx, python, "-c", "import sys; print(sys.version.split()[0])").Output()
	if err != nil {
		fmt.Fprintf(os.Stderr, "no %s here: only the comparisons with plain Go are made\n", python)
		return "", "", func() {}, nil
	}
	dir, err := os.MkdirTemp("", "parallel")
	if err != nil {
		return "", "", nil, err
	}
	script = filepath.Join(dir, "parallel.py")
	cleanup = func() { os.RemoveAll(dir) }
	return script, strings.TrimSpace(string(b)), cleanup, os.WriteFile(script, []byte(pythonSource), 0o600)
}
