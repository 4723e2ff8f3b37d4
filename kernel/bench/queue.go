package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

// queued is how many requests a front end sends at once.
const queued = 60

// queue compares cells whose requests are sent at once with cells that are requested one by
// one, and with the compiler alone on the same sources, in turns.
func queue(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	cfg, err := stdImportcfg(ctx, dir, "fmt")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "hello.go")
	prototype := compileCommand(ctx, dir, cfg, file)
	var atOnce, oneByOne, alone sample
	for round := range max(5, *rounds/10) {
		statements := make([]string, queued)
		for i := range statements {
			statements[i] = fmt.Sprintf(`fmt.Println("hello %d %d")`, round, i)
		}
		d, err := k.cellsAtOnce(ctx, statements)
		if err != nil {
			return err
		}
		atOnce = append(atOnce, d/queued)
		start := time.Now()
		for _, s := range statements {
			if _, err := k.cell(ctx, s); err != nil {
				return err
			}
		}
		oneByOne = append(oneByOne, time.Since(start)/queued)
		d = 0
		for _, s := range statements {
			text := "package main\n\nimport \"fmt\"\n\nfunc main() { " + s + " }\n"
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				return err
			}
			compile := exec.CommandContext(ctx, prototype.Path, prototype.Args[1:]...)
			compile.Env = prototype.Env
			one, err := timed(compile)
			if err != nil {
				return err
			}
			d += one
		}
		alone = append(alone, d/queued)
	}
	row(w, fmt.Sprintf("%d cells at once, each", queued), atOnce, ratioNote(atOnce, alone, "the compiler alone"))
	row(w, "  as many one after another, each", oneByOne, ratioNote(oneByOne, alone, "it"))
	row(w, "  the compiler alone", alone, "")
	return nil
}

// ratioNote returns a note with the median of the rounds' ratios. Rounds during which the
// machine is busy change it less than they change the ratio of the medians.
func ratioNote(a, b sample, of string) string {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i].Seconds() / b[i].Seconds()
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%.2f × %s (%.2f to %.2f)", ratios[len(ratios)/2], of, ratios[0], ratios[len(ratios)-1])
}

// cellsAtOnce sends the requests of all cells and returns the time until the last is idle.
func (k *kernel) cellsAtOnce(ctx context.Context, cells []string) (time.Duration, error) {
	start := time.Now()
	ids := make([]string, len(cells))
	for i, code := range cells {
		var err error
		if ids[i], err = k.request(code); err != nil {
			return 0, err
		}
	}
	for _, id := range ids {
		messages, err := k.client.RecvUntilIdle(ctx, id)
		if err == nil {
			err = failed(messages)
		}
		if err != nil {
			return 0, err
		}
	}
	d := time.Since(start)
	for _, id := range ids {
		if _, err := k.client.RecvReply(ctx, kerneltest.Shell, id); err != nil {
			return 0, err
		}
	}
	return d, nil
}
