package session

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
)

// Names of errors.
const (
	died        = "WorkerDied" // of the cell in which the worker ended
	interrupted = "Interrupted"
	memoryError = "MemoryError" // of a cell whose compiler took too much
)

// Why a cell that was loaded is not run again.
const (
	unfitDeadly      = "it ran when the worker ended"
	unfitBackground  = "what it started ended the worker"
	unfitFailed      = "it failed"
	unfitInterrupted = "it was interrupted"
	unfitUnwanted    = "it was left out"
)

// note enters a cell that was loaded into the journal.
func (r *run) note(code string, u *program.Unit, failed *output.Error) {
	e := &entry{n: r.n, src: code, does: u.Effects, setup: r.setup}
	if failed != nil {
		e.unfit = unfitFailed
		switch failed.Name {
		case died:
			e.gone, e.unfit = true, unfitDeadly
		case interrupted:
			e.unfit = unfitInterrupted
		}
	}
	r.journal.add(e)
}

// workerFailed reports a death of the worker and what went with it.
func (s *Session) workerFailed(w *process, err error) *output.Error {
	var refused *loadError
	if errors.As(err, &refused) {
		if gone := s.imageGone(err); gone != nil {
			return failure("ImageError", gone.Error())
		}
		return s.linkError(refused)
	}
	return &output.Error{Name: died, Value: w.cause(), Traceback: s.obituary(w, "the worker process died: ")}
}

// noticeDeath tells of a worker that died when no cell ran, of what a
// goroutine did.
func (s *Session) noticeDeath(sink output.Sink) {
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if w != nil && w.dead() {
		sink.Stream(output.Stderr, strings.Join(s.obituary(w, "the worker process died after the last cell: "), "\n")+"\n")
	}
}

// obituary says why the worker died and what went with it, and forgets both.
func (s *Session) obituary(w *process, text string) []string {
	for _, n := range w.dump.cells() {
		s.journal.unfit(n, unfitBackground)
	}
	v := s.view()
	lines := append([]string{text + w.cause()}, v.calls(w.dump.frames(v.all))...)
	return append(lines, s.bury(w)...)
}

// bury forgets a worker and says which variables went with it, and how they
// come back.
func (s *Session) bury(w *process) []string {
	s.mu.Lock()
	if s.worker == w {
		s.worker = nil
	}
	s.mu.Unlock()
	s.journal.workerDied()
	s.initFailures = nil
	lost := s.program.Load().WorkerLost()
	var lines []string
	if len(lost) == 0 {
		text := "no variables were lost"
		if len(s.program.Load().Lost()) > 0 {
			text = "no more variables were lost"
		}
		lines = append(lines, text)
	} else {
		cells := map[string]int{}
		for _, v := range lost {
			cells[v.Name] = v.Cell
		}
		lines = append(lines, "lost with it: "+withCells(cells))
	}
	steps, _ := s.steps()
	switch {
	case len(steps) > 0:
		text := "%replay runs " + cellList(steps) + " again"
		if missing := notMade(lost, steps); len(missing) > 0 {
			text += ", without " + withCells(missing)
		}
		lines = append(lines, text+"; functions, types and constants are kept")
	case len(lost) > 0:
		lines = append(lines, "functions, types and constants are kept; run the cells above again for the variables")
	}
	return lines
}

// steps lists the cells that bring back what is lost, and those that would but
// are unfit.
func (s *Session) steps() ([]step, []*entry) {
	p := s.program.Load()
	alive := map[string]bool{}
	for _, v := range p.Variables() {
		alive[v.Name] = true
	}
	lost := p.Lost()
	for name := range lost {
		delete(alive, name)
	}
	return s.journal.lostSteps(lost, func(name string) bool { return alive[name] })
}

// notMade lists the variables that none of the steps makes.
func notMade(lost []program.Variable, steps []step) map[string]int {
	out := map[string]int{}
	for _, v := range lost {
		out[v.Name] = v.Cell
	}
	for _, s := range steps {
		for _, name := range s.does.Declares {
			delete(out, name)
		}
	}
	return out
}

// mostNames bounds how many variables a message lists.
const mostNames = 40

// withCells lists variables by the cells that made them: "a, b (cell 1), c (cell 4)".
func withCells(cells map[string]int) string {
	byCell := map[int][]string{}
	for name, n := range cells {
		byCell[n] = append(byCell[n], name)
	}
	var numbers []int
	for n := range byCell {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	var parts []string
	left := mostNames
	for _, n := range numbers {
		list := byCell[n]
		slices.Sort(list)
		list = list[:min(left, len(list))]
		if left -= len(list); len(list) > 0 {
			parts = append(parts, fmt.Sprintf("%s (cell %d)", strings.Join(list, ", "), n))
		}
	}
	text := strings.Join(parts, ", ")
	if more := len(cells) - mostNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// cellList names cells: "cell 2", "cells 2, 5".
func cellList(steps []step) string {
	const most = 20
	var numbers []string
	for _, s := range steps {
		if text := fmt.Sprint(s.n); !slices.Contains(numbers, text) {
			numbers = append(numbers, text)
		}
	}
	text := strings.Join(numbers[:min(most, len(numbers))], ", ")
	switch {
	case len(numbers) == 1:
		return "cell " + text
	case len(numbers) > most:
		return fmt.Sprintf("cells %s and %d more", text, len(numbers)-most)
	}
	return "cells " + text
}
