package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

// A language has the text of the compared cells for a kernel. %d stands for a number that is new
// each time.
type language struct{ hello, first, variable, function, mistake string }

var (
	goCells = language{`fmt.Println("hello %d")`, "counter := 0", "counter += %d", "func twice(n int) int { return 2*n + %d }", "undefinedName%d + 1"}
	// others are other kernels for comparison, by the names of their kernelspecs.
	others = []struct {
		spec  string
		cells language
	}{
		{"python3", language{`print("hello %d")`, "counter = 0", "counter += %d", "def twice(n): return 2*n + %d", "undefinedName%d + 1"}},
		{"gonb", language{"%%%%\nfmt.Println(\"hello %d\")", "var counter = 0", "%%%%\ncounter += %d", "func twice(n int) int { return 2*n + %d }", "%%%%\nundefinedName%d + 1"}},
		{"gophernotes", language{"import \"fmt\"\nfmt.Println(\"hello %d\")", "counter := 0", "counter += %d", "func twice(n int) int { return 2*n + %d }", "undefinedName%d + 1"}},
	}
)

// kinds are the kinds of cells that peers compares.
func (l language) kinds() []struct{ name, code string } {
	return []struct{ name, code string }{
		{"hello", l.hello}, {"variable change", l.variable}, {"function definition", l.function}, {"error", l.mistake},
	}
}

// peers measures cells in the other kernels that are installed, in turns with the same cells in
// perijove.
func peers(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	if _, err := k.cell(ctx, goCells.first); err != nil {
		return err
	}
	for _, o := range others {
		argv, ok := kernelspec(o.spec)
		if !ok {
			fmt.Fprintf(w, "cells in %s\tnot installed\t\n", o.spec)
			continue
		}
		sub := filepath.Join(dir, o.spec)
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if err := besidePeer(ctx, k, w, sub, argv, o.spec, o.cells); err != nil {
			return fmt.Errorf("cannot compare Perijove with the kernel %s: %w", o.spec, err)
		}
	}
	return nil
}

// versions measures cells in another version of perijove, in turns with this one.
func versions(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string) error {
	if *against == "" {
		return nil
	}
	if _, err := k.cell(ctx, goCells.first); err != nil {
		return err
	}
	return besidePeer(ctx, k, w, dir, []string{*against, "kernel", connectionFile}, *against, goCells)
}

// peerPause is the pause before each cell. A kernel prepares the next cell when one has ended; the pause keeps this
// from disturbing the other kernel's cell.
const peerPause = 30 * time.Millisecond

func besidePeer(ctx context.Context, k *kernel, w *tabwriter.Writer, dir string, argv []string, name string, cells language) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	peer, err := start(ctx, dir, argv, awaitSubscription)
	if err != nil {
		return err
	}
	defer peer.stop()
	if _, err := peer.cell(ctx, cells.first); err != nil {
		return err
	}
	theirs := cells.kinds()
	for i, c := range goCells.kinds() {
		n := 0
		run := func(k *kernel, code string) func() (time.Duration, error) {
			return func() (time.Duration, error) {
				time.Sleep(peerPause)
				n++
				if c.name == "error" {
					return k.timedCell(ctx, fmt.Sprintf(code, n))
				}
				return k.cell(ctx, fmt.Sprintf(code, n))
			}
		}
		ours, other, err := inTurns(*rounds, run(k, c.code), run(peer, theirs[i].code))
		if err != nil {
			return fmt.Errorf("cannot measure %q: %w", c.name, err)
		}
		row(w, c.name+" in "+name, other, fmt.Sprintf("minimum %.1f ms", other.quantile(0).Seconds()*1000))
		row(w, "  in perijove, in turns", ours, fmt.Sprintf("minimum %.1f ms; %.2f × %s, of the minima %.2f", ours.quantile(0).Seconds()*1000,
			ours.median().Seconds()/other.median().Seconds(), name, ours.quantile(0).Seconds()/other.quantile(0).Seconds()))
	}
	return nil
}

// awaitSubscription waits two seconds, in which a subscription takes effect. Kernels without an
// XPUB socket do not confirm it. Their start time is not measured.
func awaitSubscription(_ *kerneltest.Client, ctx context.Context) error {
	select {
	case <-time.After(2 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kernelspec returns the command line of an installed kernel, which it looks for in Jupyter's
// data folders.
func kernelspec(name string) (argv []string, ok bool) {
	home, _ := os.UserHomeDir()
	dirs := filepath.SplitList(os.Getenv("JUPYTER_PATH"))
	dirs = append(dirs, os.Getenv("JUPYTER_DATA_DIR"), filepath.Join(home, ".local/share/jupyter"),
		"/usr/local/share/jupyter", "/usr/share/jupyter")
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join(d, "kernels", name, "kernel.json"))
		if err != nil {
			continue
		}
		var spec struct {
			Argv []string `json:"argv"`
		}
		if json.Unmarshal(b, &spec) == nil && len(spec.Argv) > 0 {
			return spec.Argv, true
		}
	}
	return nil, false
}
