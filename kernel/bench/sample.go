package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A sample holds the results of repeated measurements.
type sample []time.Duration

func (s sample) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func (s sample) median() time.Duration { return s.quantile(0.5) }

func (s sample) String() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1000) }
	return fmt.Sprintf("%s ms (%s to %s)", ms(s.median()), ms(s.quantile(0.25)), ms(s.quantile(0.75)))
}

// ratioInterval returns a 95 % bootstrap interval of the ratio of two medians.
func ratioInterval(a, b sample) (lo, hi float64) {
	resample := func(s sample) sample {
		out := make(sample, len(s))
		for i := range out {
			out[i] = s[rand.IntN(len(s))]
		}
		return out
	}
	var ratios []float64
	for range 2000 {
		ratios = append(ratios, resample(a).median().Seconds()/resample(b).median().Seconds())
	}
	slices.Sort(ratios)
	return ratios[50], ratios[1949]
}

func timed(cmd *exec.Cmd) (time.Duration, error) {
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("cannot run the command %v: %w\n%s", cmd.Args, err, out)
	}
	return time.Since(start), nil
}

// stdImportcfg writes an importcfg file for packages of the standard library.
func stdImportcfg(ctx context.Context, dir string, packages ...string) (string, error) {
	out, err := goCommand(ctx, dir, append([]string{"list", "-export", "-deps", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"}, packages...)...).Output()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "importcfg")
	return file, os.WriteFile(file, out, 0o644)
}

// compileCommand returns a command that runs the compiler with the same flags as the kernel.
func compileCommand(ctx context.Context, dir, importcfg, file string) *exec.Cmd {
	tools, err := exec.CommandContext(ctx, "go", "env", "GOTOOLDIR").Output()
	if err != nil {
		tools = nil
	}
	compile := filepath.Join(strings.TrimSpace(string(tools)), "compile")
	cmd := exec.CommandContext(ctx, compile, "-o", filepath.Join(dir, "hello.o"), "-p", "main", "-importcfg", importcfg, "-dwarf=false", "-c=2", file)
	cmd.Env = append(os.Environ(), "GOGC=off")
	return cmd
}
