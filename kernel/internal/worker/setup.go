package worker

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
)

// setup changes what a process starts with: folder, environment, arguments.
func (w *worker) setup(m control.Message) {
	var errs []error
	if m.Dir != "" {
		errs = append(errs, os.Chdir(m.Dir))
	}
	for _, v := range m.Env {
		if name, value, ok := strings.Cut(v, "="); ok {
			errs = append(errs, os.Setenv(name, value))
		} else {
			errs = append(errs, os.Unsetenv(v))
		}
	}
	if m.Memory != 0 {
		errs = append(errs, w.memory.set(max(m.Memory, 0)))
	}
	if m.Args != nil {
		os.Args = append(os.Args[:1:1], m.Args[1:]...)
	}
	if m.Args != nil || len(m.Flags) > 0 {
		freshFlags(m.Flags)
	}
	out := control.Message{Kind: control.Done, ID: m.ID}
	if err := errors.Join(errs...); err != nil {
		out.Error = err.Error()
	}
	if err := w.conn.Send(out); err != nil {
		endGroup()
	}
}

// freshFlags replaces the set of command line flags. Those that older cells
// defined stay, at their defaults, but for those that the next cell defines.
func freshFlags(redefined []string) {
	old := flag.CommandLine
	flag.CommandLine = flag.NewFlagSet("notebook", flag.ExitOnError)
	flag.CommandLine.Usage = func() { flag.Usage() }
	old.VisitAll(func(f *flag.Flag) {
		if slices.Contains(redefined, f.Name) {
			return
		}
		_ = f.Value.Set(f.DefValue)
		flag.CommandLine.Var(f.Value, f.Name, f.Usage)
	})
}
