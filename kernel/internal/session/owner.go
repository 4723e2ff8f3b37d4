package session

import (
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// owner is whose output a pipe holds. While the worker is about to get new
// pipes, the old ones are the children's of the cell before.
func (p *process) owner(s *stream) output.Sink {
	p.mu.Lock()
	changing := p.next != nil && p.next.out[0] != nil && !p.shared && (s == p.out[0] || s == p.out[1])
	before := p.before
	p.mu.Unlock()
	switch {
	case s.cell != nil:
		return s.cell
	case changing && before != nil:
		return before
	}
	return p.current()
}

// current is where output goes: to the running cell, or to the last.
func (p *process) current() output.Sink { return p.sinkOf(0) }

// sinkOf is where the output of an execution goes, 0 for the running one.
func (p *process) sinkOf(id int) output.Sink {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.cells.cells[id]; c != nil {
		return c.sink
	}
	if p.sink == nil {
		return quiet{}
	}
	return p.sink
}

// loaded notes that the cell begins. The worker may have new pipes from now on:
// what is in the old ones, children have written that earlier cells started.
func (p *process) loaded(m control.Loaded) {
	p.mu.Lock()
	next, before, shared := p.next, p.before, p.shared
	p.next = nil
	p.mu.Unlock()
	if next == nil {
		return
	}
	if m.UsesOutputPipes && next.out[1] != nil {
		next.unlink()
		p.replace(next.out, before, shared)
	} else {
		next.discard()
	}
	next.loaded(m.Reset, m.Notices)
}

// replace has the worker's new pipes read beside the old ones, which are owner's
// unless processes of package mp share them.
func (p *process) replace(out [2]*stream, owner output.Sink, shared bool) {
	for _, s := range p.out {
		if !shared {
			s.cell = owner
		}
		if s.closed {
			p.remove(s)
		}
	}
	p.out = out
	p.add(out[0], out[1])
}

// dropNext forgets a cell that the worker did not load.
func (p *process) dropNext() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next != nil {
		p.next.discard()
	}
	p.next = nil
}

// late passes on what a goroutine of an earlier cell has printed.
func (p *process) late(m control.Print) {
	p.mu.Lock()
	c := p.cells.cells[m.ID]
	p.mu.Unlock()
	switch {
	case m.FD != 1 && m.FD != 2:
	case c == nil:
		p.print(p.out[m.FD-1], m.Bytes)
	default:
		t := &c.text[m.FD-1]
		c.sink.Stream(t.name, t.decode(m.Bytes))
	}
}

// over ends the running cell. After one whose output nobody sees, as a user
// expression, the one before it is the last again.
func (p *process) over(m control.Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.done
	if m.RequestID() != p.id {
		return
	}
	p.done = nil
	if m, ok := m.(control.Done); ok {
		p.held, p.shared = m.ProgramsHoldPipes && len(p.streams) < maxStreams, m.ChildrenHoldPipes
	}
	if unseen(p.sink) {
		p.sink = p.before
	}
	p.unheard.Stop()
	if done != nil {
		done <- m
	}
}
