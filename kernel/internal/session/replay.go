package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/replay"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// replayDirective runs again, in their order, the cells that made or changed the variables that were lost with a worker
// process.
func (r *run) replayDirective(d cell.DirectiveLine) error {
	list, without, err := replayArgs(d.Args)
	if err != nil {
		return err
	}
	for _, n := range without {
		if e := r.session.journal.Last(n); e == nil || !e.IsGone {
			return fmt.Errorf("cell %d cannot be left out, since %%replay would not run that cell anyway", n)
		}
		r.session.journal.Last(n).Unfit = unfitUnwanted
	}
	if _, err := r.session.ensureWorker(r.ctx); err != nil {
		return err
	}
	steps, skipped := r.session.replaySteps()
	if len(steps) == 0 && len(r.session.program.Load().Lost()) == 0 {
		r.print("no variables are lost\n")
		return nil
	}
	defer r.restoreSetup()
	for i, s := range steps {
		r.print("%s\n", s.Title())
		if list {
			continue
		}
		if e := r.repeat(s); e != nil {
			return r.replayError(e, s, steps[i+1:])
		}
	}
	if !list {
		r.session.program.Load().ClearLost()
	}
	for _, e := range skipped {
		r.print("not repeated: the changes of %s to %s, because %s\n", cell.Name(e.Cell), strings.Join(e.Effects.Writes, ", "), e.Unfit)
	}
	r.reportMissing(list, steps)
	return nil
}

// replayArgs reads the arguments of %replay.
func replayArgs(args string) (list bool, without []int, err error) {
	words := strings.Fields(strings.ReplaceAll(args, ",", " "))
	if len(words) > 0 && words[0] == "-n" {
		list, words = true, words[1:]
	}
	if len(words) > 1 && words[0] == "-without" {
		for _, w := range words[1:] {
			n, err := strconv.Atoi(w)
			if err != nil {
				return false, nil, fmt.Errorf("%q is not the number of a cell: write numbers, as in %%replay -without 4 5", w)
			}
			without = append(without, n)
		}
		words = nil
	}
	if len(words) > 0 {
		err = errors.New("the arguments are invalid: write %replay, %replay -n to list the cells without running them, or %replay -without 4 5 to leave cells out")
	}
	return list, without, err
}

// repeat runs one cell again.
func (r *run) repeat(s replay.Step) *output.Error {
	text := &sinks.WholeLines{TextOnly: sinks.TextOnly{Sink: r.sink}}
	defer text.End()
	again := &run{session: r.session, ctx: r.ctx, n: s.Cell, sink: text}
	m := control.Setup{Dir: s.Dir, Args: s.Args}
	if m.Dir == "" {
		m.Dir = r.session.startDir()
	}
	if err := r.session.applySetup(r.ctx, m); err != nil {
		return workerError(err)
	}
	if s.DeclarationsOnly {
		return again.execute(s.Parsed().Declarations(), func(*program.Unit, *output.Error) {})
	}
	s.Unfit = unfitCrashed // stays if the worker process dies while the cell runs
	err := again.execute(s.Parsed(), func(*program.Unit, *output.Error) {})
	if err == nil || err.Name != traceback.WorkerDied {
		s.Unfit = ""
	}
	s.IsGone = err != nil
	return err
}

// restoreSetup restores the folder and arguments that directives have set.
func (r *run) restoreSetup() {
	m := control.Setup{Dir: r.session.dir(), Args: r.session.setup.Args}
	ctx, cancel := r.cleanupContext()
	defer cancel()
	if err := r.session.applySetup(ctx, m); err != nil {
		r.sink.Stream(output.Stderr, err.Error()+"\n")
	}
}

// markUndone marks the variables that steps would have made or changed as lost.
func (r *run) markUndone(steps []replay.Step) {
	undone := map[string]int{}
	for _, s := range steps {
		if s.DeclarationsOnly {
			continue
		}
		s.IsGone = true
		for _, list := range [][]string{s.Effects.Declares, s.Effects.Assigns, s.Effects.Writes} {
			for _, name := range list {
				undone[name] = s.Cell
			}
		}
	}
	r.session.program.Load().MarkLost(undone)
}

// redeclare executes the declarations of the cells in left, which were left out of the replay, so that functions, types
// and constants have their last meaning.
func (r *run) redeclare(left []replay.Step) (lines []string) {
	for _, s := range left {
		if len(s.Effects.Defines) == 0 {
			continue
		}
		again := &run{session: r.session, ctx: context.WithoutCancel(r.ctx), n: s.Cell, sink: sinks.TextOnly{Sink: r.sink}}
		if e := again.execute(s.Parsed().Declarations(), func(*program.Unit, *output.Error) {}); e != nil {
			lines = append(lines, fmt.Sprintf("run %s again: its declarations have changed since its last run (%s)", cell.Name(s.Cell), e.Value))
		}
	}
	return lines
}

// replayError returns the error of a replay that stopped at s.
func (r *run) replayError(e *output.Error, s replay.Step, left []replay.Step) *output.Error {
	r.markUndone(append([]replay.Step{s}, left...))
	old := r.redeclare(left)
	lines := []string{fmt.Sprintf("the replay stopped at %s", cell.Name(s.Cell))}
	if len(left) > 0 {
		lines[0] += ", before " + replay.CellList(left)
	}
	if e.Name != traceback.WorkerDied && e.Name != traceback.Interrupted {
		lines[0] += "; correct the cause and run %replay again, which continues there"
	}
	if e.Name != traceback.WorkerDied {
		lines[0] += fmt.Sprintf(" (%%replay -without %d leaves this cell out)", s.Cell)
	}
	return &output.Error{Name: e.Name, Value: e.Value, Traceback: slices.Concat(lines, e.Traceback, old)}
}

// reportMissing reports the variables that are not restored, and why.
func (r *run) reportMissing(list bool, steps []replay.Step) {
	missing := r.session.program.Load().Lost()
	if list {
		for _, s := range steps {
			for _, name := range s.Effects.Declares {
				delete(missing, name)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Values(missing)) {
		names := map[string]int{}
		for name, by := range missing {
			if by == n {
				names[name] = n
			}
		}
		if len(names) == 0 {
			continue
		}
		why := ""
		if e := r.session.journal.Last(n); e != nil && e.Unfit != "" {
			why = ", because " + e.Unfit
		}
		r.print("not restored: %s%s\n", variableList(names), why)
		for name := range names {
			delete(missing, name)
		}
	}
}
