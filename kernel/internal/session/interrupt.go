package session

import (
	"fmt"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/replay"
)

// The first interrupt of a cell stops its goroutine. If the goroutine is blocked, the cell ends and the goroutine
// stays. A further interrupt ends the worker process if the cell still runs secondInterruptDelay after the first. An
// interrupt when no cell runs ends nothing. It lists the goroutines that are still blocked and how to stop them.

// secondInterruptDelay is how long after the first interrupt of a cell another interrupt ends the worker process. A
// process that responds ends a cell in less than one second, even on a busy machine.
const secondInterruptDelay = 2 * time.Second

// Interrupt stops the running cell. It does not wait for the cell to end, and may be called at any time.
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
		cancel() // once the worker process has the cell, the end of this context interrupts it
	case w == nil:
	case isSecond:
		w.InterruptAgain()
	default:
		w.Interrupt()
	}
}

// offerRestart prints how to end goroutines that an interrupt could not stop. It prints
// nothing while a cell runs.
func (s *Session) offerRestart(count int, sink output.Sink) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	default:
		return // a cell runs
	}
	text := "a goroutine of an interrupted cell is still blocked. %restart ends it, since it starts a new process for the cells"
	if count > 1 {
		text = fmt.Sprintf("%d goroutines of interrupted cells are still blocked. %%restart ends them, since it starts a new process for the cells", count)
	}
	cells := map[string]int{}
	for _, v := range s.program.Load().Variables() {
		cells[v.Name] = v.Cell
	}
	if len(cells) > 0 {
		text += "; it loses these variables: " + variableList(cells)
		if steps := s.journal.AllSteps(cells); len(steps) > 0 {
			text += "; %replay then runs " + replay.CellList(steps) + " again"
		}
	}
	sink.Stream(output.Stderr, text+"\n")
}
