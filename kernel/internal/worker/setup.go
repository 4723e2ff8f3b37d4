package worker

import (
	"errors"
	"flag"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
)

// setup changes what a process starts with: folder, environment, arguments.
func (w *worker) setup(m control.Setup) control.SetupReply {
	errs := []error{cellruntime.ApplySetup(m)}
	if m.Memory != 0 {
		errs = append(errs, w.memory.set(max(m.Memory, 0)))
	}
	if m.Args != nil || len(m.Flags) > 0 {
		resetFlags(m.Flags)
	}
	out := control.SetupReply{ID: m.ID}
	if err := errors.Join(errs...); err != nil {
		out.Error = err.Error()
	}
	return out
}

// resetFlags replaces the set of command line flags. Those that older cells
// defined stay, at their defaults, but for those that the next cell defines.
func resetFlags(redefined []string) {
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
