package session

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/replay"
)

// Reasons why %replay does not run a cell again.
const (
	unfitCrashed     = "the cell was running when the process that runs the cells ended"
	unfitBackground  = "a goroutine or process that the cell started ended the process that runs the cells"
	unfitFailed      = "the cell failed"
	unfitInterrupted = "the cell was interrupted"
	unfitUnwanted    = "%replay -without left the cell out"
)

// reportDeath reports a worker process that died when no cell ran, for example because a goroutine panicked.
func (s *Session) reportDeath(sink output.Sink) {
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if w != nil && w.IsDead() {
		sink.Stream(output.Stderr, strings.Join(s.deathReport(w, "the process that runs the cells died after the last cell: "), "\n")+"\n")
	}
}

// deathReport discards the worker process and returns lines that say why it died and what was lost.
func (s *Session) deathReport(w *worker, text string) []string {
	for _, n := range w.Crash().Cells() {
		s.journal.SetUnfit(n, unfitBackground)
	}
	style := s.style()
	lines := append([]string{text + w.Cause()}, style.Calls(w.Crash().Frames(style.AllFrames))...)
	return append(lines, s.discardWorker(w)...)
}

// discardWorker discards a worker process and returns lines that say which variables were lost with it, and how to
// restore them.
func (s *Session) discardWorker(w *worker) []string {
	s.mu.Lock()
	if s.worker == w {
		s.worker = nil
	}
	s.mu.Unlock()
	s.journal.WorkerDied()
	s.initFailures = nil
	lost := s.program.Load().WorkerLost()
	var lines []string
	if len(lost) == 0 {
		text := "no variables were lost"
		if len(s.program.Load().Lost()) > 0 {
			text = "no further variables were lost"
		}
		lines = append(lines, text)
	} else {
		cells := map[string]int{}
		for _, v := range lost {
			cells[v.Name] = v.Cell
		}
		lines = append(lines, "lost variables: "+variableList(cells))
	}
	steps, _ := s.replaySteps()
	switch {
	case len(steps) > 0:
		text := "%replay runs " + replay.CellList(steps) + " again"
		if missing := notRestored(lost, steps); len(missing) > 0 {
			text += ", which does not restore " + variableList(missing)
		}
		lines = append(lines, text+"; functions, types and constants are kept")
	case len(lost) > 0:
		lines = append(lines, "functions, types and constants are kept; run these cells again to restore the variables")
	}
	return lines
}

// replaySteps lists the runs that restore the lost variables, and the runs that would
// be needed but cannot be repeated.
func (s *Session) replaySteps() ([]replay.Step, []*replay.Entry) {
	p := s.program.Load()
	alive := map[string]bool{}
	for _, v := range p.Variables() {
		alive[v.Name] = true
	}
	lost := p.Lost()
	for name := range lost {
		delete(alive, name)
	}
	return s.journal.LostSteps(lost, func(name string) bool { return alive[name] })
}

// notRestored returns the lost variables that no step declares, with the cells that
// declared them.
func notRestored(lost []program.Variable, steps []replay.Step) map[string]int {
	out := map[string]int{}
	for _, v := range lost {
		out[v.Name] = v.Cell
	}
	for _, s := range steps {
		for _, name := range s.Effects.Declares {
			delete(out, name)
		}
	}
	return out
}

// maxNames bounds how many variables a message lists.
const maxNames = 40

// variableList lists variables by the cells that made them: "a, b (cell 1), c (cell 4)".
func variableList(cells map[string]int) string {
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
	left := maxNames
	for _, n := range numbers {
		list := byCell[n]
		slices.Sort(list)
		list = list[:min(left, len(list))]
		if left -= len(list); len(list) > 0 {
			parts = append(parts, fmt.Sprintf("%s (cell %d)", strings.Join(list, ", "), n))
		}
	}
	text := strings.Join(parts, ", ")
	if more := len(cells) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
