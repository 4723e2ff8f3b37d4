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

// others are other kernels for comparison: the name of the kernelspec, and a cell that prints
// a text. %d in the cell is replaced by a new number each time.
var others = []struct{ spec, code string }{
	{"python3", `print("hello %d")`},
	{"gonb", "%%%%\nfmt.Println(\"hello %d\")"},
	{"gophernotes", "import \"fmt\"\nfmt.Println(\"hello %d\")"},
}

// peers measures a hello in the other kernels that are installed.
func peers(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	for _, o := range others {
		argv, ok := kernelspec(o.spec)
		if !ok {
			fmt.Fprintf(w, "hello in %s\tnot installed\t\n", o.spec)
			continue
		}
		sub := filepath.Join(dir, o.spec)
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		s, err := peerHello(ctx, sub, argv, o.code)
		if err != nil {
			return fmt.Errorf("%s: %w", o.spec, err)
		}
		row(w, "hello in "+o.spec, s, "request to idle")
	}
	return nil
}

func peerHello(ctx context.Context, dir string, argv []string, code string) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	k, err := start(ctx, dir, argv, awaitSubscription)
	if err != nil {
		return nil, err
	}
	defer k.stop()
	var s sample
	for i := range *rounds + 1 {
		d, err := k.cell(ctx, fmt.Sprintf(code, i))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			s = append(s, d)
		}
	}
	return s, nil
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
