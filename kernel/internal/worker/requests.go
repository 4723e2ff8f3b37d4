package worker

import (
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
)

// runAll handles requests, such as to run a cell, in the order in which the kernel sends them.
func (w *worker) runAll(runs <-chan control.Message) {
	for m := range runs {
		switch m := m.(type) {
		case control.Setup:
			w.reply(w.setup(m))
		case control.Reload:
			w.reply(w.reload(m))
		case control.Drop:
			w.linker.Drop(m.Symbols)
			w.clearOldVars(false)
		case control.ListDropped:
			w.reply(w.listOld(m))
		case control.ListGoroutines:
			w.reply(w.listGoroutines(m))
		case control.Run:
			var out control.Reply
			if err := w.run(m); err != nil {
				out = loadFailed(m.ID, err)
			} else {
				out = w.outcome(m.ID)
			}
			w.busy.Add(-1)
			w.reply(out)
			w.clearOldVars(false)
			w.standbys.Tend()
		}
	}
}

// reply answers a request. If the kernel has ended, reply ends this process.
func (w *worker) reply(m control.Reply) {
	if err := w.conn.Send(m); err != nil {
		endGroup()
	}
}

// clearOldVars clears the variables that no name refers to any more and that nothing uses; see link.Linker.Clear.
func (w *worker) clearOldVars(now bool) {
	if w.goroutines != nil {
		w.linker.Clear(preempt.CurrentG(), w.goroutines, now)
	}
}

// listOld lists the old variables that are kept.
func (w *worker) listOld(m control.ListDropped) control.DroppedList {
	out := control.DroppedList{ID: m.ID}
	w.clearOldVars(true)
	for _, v := range w.linker.Old() {
		out.Lines = append(out.Lines, fmt.Sprintf("%-6s %-20s kept: %s", "old", v.Name, v.Why))
	}
	return out
}

// setup changes attributes of the process: folder, environment, arguments, command line flags, memory limit.
func (w *worker) setup(m control.Setup) control.SetupReply {
	errs := []error{cellruntime.ApplySetup(m)}
	if m.Memory != 0 {
		errs = append(errs, w.memory.Set(max(m.Memory, 0)))
	}
	if m.Args != nil || len(m.Flags) > 0 {
		resetFlags(m.Flags)
		// Package testing adds the numbers of -test.cpu to those of the previous run.
		if list, err := goruntime.Var[[]int](w.runtime, "testing.cpuList"); err == nil {
			*list = nil
		}
	}
	out := control.SetupReply{ID: m.ID}
	if err := errors.Join(errs...); err != nil {
		out.Error = err.Error()
	}
	return out
}

// resetFlags replaces flag.CommandLine. Flags of older cells
// stay, with their default values, except those in redefined, which the next cell defines.
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
