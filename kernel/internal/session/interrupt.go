package session

import (
	"context"
	"fmt"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// The first interrupt of a cell stops it, or gives it up if it is blocked. One
// that comes while the cell still does not end, insistAfter later, ends the
// worker. One that comes when no cell runs ends nothing: it says what was left
// behind and how to be rid of it.

// insistAfter is how long an interrupt has before the next one of the same
// cell means that the user wants a new worker. A living one stops a cell, or
// gives it up, in less than one second, on a busy machine too.
const insistAfter = 2 * time.Second

// interruptPatience is how long a worker that was told to stop a cell may say
// nothing.
const interruptPatience = 10 * time.Second

// A press is the first interrupt of a cell.
type press struct {
	cell context.Context
	at   time.Time
}

// Interrupt stops the running cell.
func (s *Session) Interrupt() {
	s.mu.Lock()
	w, cmd, running, cancel := s.worker, s.command, s.running, s.cancel
	if running != nil && s.pressed.cell != running {
		s.pressed = press{running, time.Now()}
	}
	insist := running != nil && time.Since(s.pressed.at) > insistAfter
	s.mu.Unlock()
	if cmd != nil && cmd.Cancel != nil && cmd.Process != nil {
		_ = cmd.Cancel()
	}
	switch {
	case running != nil && running.Err() == nil:
		cancel() // this reaches the worker once it has the cell
	case w == nil:
	case insist:
		w.interruptAgain()
	default:
		w.interrupt()
	}
}

// interrupt tells the worker to stop the cell. Without one it answers with what
// it was told to stop before and could not.
func (p *process) interrupt() {
	p.mu.Lock()
	running := p.done != nil
	p.told = p.id
	if p.cancel != nil {
		p.cancel()
	}
	p.mu.Unlock()
	if running {
		p.unheard.Reset(interruptPatience)
	}
	go func() { // a worker that does not read must not keep the caller
		_ = p.conn.Send(control.Interrupt{})
	}()
}

// interruptAgain ends the worker, unless it has answered meanwhile.
func (p *process) interruptAgain() {
	select {
	case p.insist <- struct{}{}:
	default:
	}
}

// offerRestart says how to be rid of goroutines that an interrupt left behind.
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
		text += "; lost with the old one: " + withCells(cells)
		if steps := s.journal.allSteps(cells); len(steps) > 0 {
			text += "; %replay then runs " + cellList(steps) + " again"
		}
	}
	sink.Stream(output.Stderr, text+"\n")
}
