package session

import (
	"context"
	"fmt"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/replay"
)

// The first interrupt of a cell stops it, or ends it without its goroutine if that
// is blocked. An interrupt that comes secondInterruptDelay later, when the cell still
// runs, ends the worker. An interrupt when no cell runs ends nothing: it lists
// the goroutines that are still blocked and how to stop them.

// secondInterruptDelay is how long after the first interrupt of a cell another one
// ends the worker. A worker that answers ends a cell in less than one second, on
// a busy machine too.
const secondInterruptDelay = 2 * time.Second

// A firstInterrupt is the first interrupt of a cell.
type firstInterrupt struct {
	cell context.Context
	at   time.Time
}

// Interrupt stops the running cell.
func (s *Session) Interrupt() {
	s.mu.Lock()
	w, cmd, running, cancel := s.worker, s.command, s.running, s.cancel
	if running != nil && s.firstInterrupt.cell != running {
		s.firstInterrupt = firstInterrupt{running, time.Now()}
	}
	isSecond := running != nil && time.Since(s.firstInterrupt.at) > secondInterruptDelay
	s.mu.Unlock()
	if cmd != nil && cmd.Cancel != nil && cmd.Process != nil {
		_ = cmd.Cancel()
	}
	switch {
	case running != nil && running.Err() == nil:
		cancel() // this reaches the worker once it has the cell
	case w == nil:
	case isSecond:
		w.InterruptAgain()
	default:
		w.Interrupt()
	}
}

// offerRestart says how to end goroutines that an interrupt could not stop.
func (s *Session) offerRestart(count int, sink output.Sink) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	default:
		return // a cell runs: it is what the user sees
	}
	what := "a goroutine of an interrupted cell is"
	if count > 1 {
		what = fmt.Sprintf("%d goroutines of interrupted cells are", count)
	}
	text := what + " still blocked. %restart ends it by starting a new worker"
	cells := map[string]int{}
	for _, v := range s.program.Load().Variables() {
		cells[v.Name] = v.Cell
	}
	if len(cells) > 0 {
		text += "; lost with the old one: " + variableList(cells)
		if steps := s.journal.AllSteps(cells); len(steps) > 0 {
			text += "; %replay then runs " + replay.CellList(steps) + " again"
		}
	}
	sink.Stream(output.Stderr, text+"\n")
}
