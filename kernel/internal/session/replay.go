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
)

// replay runs again, in their order, the cells that made or changed what went
// with a worker.
func (r *run) replay(d cell.DirectiveLine) error {
	list, without, err := replayArgs(d.Args)
	if err != nil {
		return err
	}
	for _, n := range without {
		if e := r.journal.last(n); e == nil || !e.gone {
			return fmt.Errorf("cell %d is not one that %%replay would run", n)
		}
		r.journal.last(n).unfit = unfitUnwanted
	}
	if _, err := r.ready(r.ctx); err != nil {
		return err
	}
	steps, skipped := r.steps()
	if len(steps) == 0 && len(r.program.Load().Lost()) == 0 {
		r.print("nothing is lost\n")
		return nil
	}
	defer r.backToSetup()
	for i, s := range steps {
		r.print("%s\n", s.title())
		if list {
			continue
		}
		if e := r.repeat(s); e != nil {
			return r.stopped(e, s, steps[i+1:])
		}
	}
	if !list {
		r.program.Load().Regained()
	}
	for _, e := range skipped {
		r.print("not repeated: what %s did to %s: %s\n", cell.Name(e.n), strings.Join(e.does.Writes, ", "), e.unfit)
	}
	r.tellMissing(list, steps)
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
				return false, nil, fmt.Errorf("%s is not the number of a cell", w)
			}
			without = append(without, n)
		}
		words = nil
	}
	if len(words) > 0 {
		err = errors.New("write %replay, %replay -n for a list of what it would run, or %replay -without 4 5 to leave cells out")
	}
	return list, without, err
}

// title names a step by its first line.
func (s step) title() string {
	first := s.parsed().Title(s.declarations)
	if s.declarations {
		first += "  (its declarations alone)"
	}
	return cell.Name(s.n) + ": " + first
}

// repeat runs one cell again.
func (r *run) repeat(s step) *output.Error {
	again := &run{Session: r.Session, ctx: r.ctx, n: s.n, sink: plainSink{r.sink}}
	m := control.Setup{Dir: s.setup.Dir, Args: s.setup.Args}
	if m.Dir == "" {
		m.Dir = r.startDir()
	}
	if err := r.applySetup(r.ctx, m); err != nil {
		return workerError(err)
	}
	if s.declarations {
		return again.execute(s.parsed().Declarations(), func(*program.Unit, *output.Error) {})
	}
	s.unfit = unfitDeadly // for whoever asks while it runs
	err := again.execute(s.parsed(), func(*program.Unit, *output.Error) {})
	if err == nil || err.Name != died {
		s.unfit = ""
	}
	s.gone = err != nil
	return err
}

// backToSetup gives the worker the folder and arguments back that directives
// have set.
func (r *run) backToSetup() {
	m := control.Setup{Dir: r.dir(), Args: r.setup.Args}
	ctx, cancel := r.cleanupContext()
	defer cancel()
	if err := r.applySetup(ctx, m); err != nil {
		r.sink.Stream(output.Stderr, err.Error()+"\n")
	}
}

// markUndone counts as lost what steps would have made or changed.
func (r *run) markUndone(steps []step) {
	undone := map[string]int{}
	for _, s := range steps {
		if s.declarations {
			continue
		}
		s.gone = true
		for _, list := range [][]string{s.does.Declares, s.does.Assigns, s.does.Writes} {
			for _, name := range list {
				undone[name] = s.n
			}
		}
	}
	r.program.Load().MarkLost(undone)
}

// redeclare gives functions, types and constants their last meaning, which the
// rest of the replay would have done.
func (r *run) redeclare(left []step) (lines []string) {
	for _, s := range left {
		if len(s.does.Defines) == 0 {
			continue
		}
		again := &run{Session: r.Session, ctx: context.WithoutCancel(r.ctx), n: s.n, sink: plainSink{r.sink}}
		if e := again.execute(s.parsed().Declarations(), func(*program.Unit, *output.Error) {}); e != nil {
			lines = append(lines, fmt.Sprintf("run %s again: its declarations are not those of its last run (%s)", cell.Name(s.n), e.Value))
		}
	}
	return lines
}

// stopped is the error of a replay that came as far as s.
func (r *run) stopped(e *output.Error, s step, left []step) *output.Error {
	r.markUndone(append([]step{s}, left...))
	old := r.redeclare(left)
	lines := []string{fmt.Sprintf("the replay stopped at %s", cell.Name(s.n))}
	if len(left) > 0 {
		lines[0] += ", before " + cellList(left)
	}
	if e.Name != died && e.Name != interrupted {
		lines[0] += "; mend what is missing and write %replay again: it goes on from there"
	}
	if e.Name != died {
		lines[0] += fmt.Sprintf(" (%%replay -without %d leaves it out)", s.n)
	}
	return &output.Error{Name: e.Name, Value: e.Value, Traceback: slices.Concat(lines, e.Traceback, old)}
}

// tellMissing names the variables that do not come back, and why.
func (r *run) tellMissing(list bool, steps []step) {
	missing := r.program.Load().Lost()
	if list {
		for _, s := range steps {
			for _, name := range s.does.Declares {
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
		if e := r.journal.last(n); e != nil && e.unfit != "" {
			why = ": " + e.unfit
		}
		r.print("not brought back: %s%s\n", withCells(names), why)
		for name := range names {
			delete(missing, name)
		}
	}
}

// restart ends the worker and starts another.
func (r *run) restart(d cell.DirectiveLine) error {
	if d.Args != "" {
		return errors.New("write %restart alone")
	}
	if r.modules.SwitchModule() {
		r.program.Load().Reimport()
	}
	r.mu.Lock()
	w := r.worker
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	w.kill()
	lines := r.bury(w)
	if _, err := r.ready(r.ctx); err != nil {
		return err
	}
	r.print("a new worker runs\n%s\n", strings.Join(lines, "\n"))
	return nil
}

// plainSink passes on what a repeated cell prints, and nothing else of it.
type plainSink struct{ output.Sink }

func (plainSink) Started(int)                          {}
func (plainSink) Display(output.Display)               {}
func (plainSink) Result(output.Bundle, map[string]any) {}
func (plainSink) Error(*output.Error)                  {}
func (plainSink) Clear(bool)                           {}
