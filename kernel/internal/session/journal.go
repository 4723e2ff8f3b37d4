package session

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
)

// A journal keeps the runs of cells that made or changed variables, in their
// order, so that those can be repeated whose work was lost.
type journal struct {
	entries []*entry
	kept    int // how many were left by the last prune
}

// An entry is one run of a cell.
type entry struct {
	n     int // its execution count
	src   string
	does  effects.Effects
	setup setup // folder and arguments at its time

	gone bool // what it did went with a worker
	// unfit says why the cell is not run again; "" if it may be.
	unfit string
}

// parsed returns the cell. It has run, so its text is Go.
func (e *entry) parsed() *cell.Cell {
	c, _ := cell.Parse(e.n, e.src)
	return c
}

// add notes a run, unless it left nothing behind.
func (j *journal) add(e *entry) {
	d := e.does
	if len(d.Declares)+len(d.Defines)+len(d.Assigns)+len(d.Writes) == 0 && !d.Process {
		return
	}
	j.entries = append(j.entries, e)
	if len(j.entries) > 2*j.kept+1000 {
		j.prune()
	}
}

// workerDied notes that what all runs did is gone.
func (j *journal) workerDied() {
	for _, e := range j.entries {
		e.gone = true
	}
}

// prune drops the runs whose work was overwritten.
func (j *journal) prune() {
	p := newPlanner(j.entries)
	p.all = true
	for name := range p.current {
		p.want(name)
	}
	keep := map[*entry]bool{}
	for _, s := range p.plan() {
		keep[s.entry] = true
	}
	for _, id := range p.current {
		keep[j.entries[p.versions[id].at]] = true
	}
	j.entries = slices.DeleteFunc(j.entries, func(e *entry) bool { return !keep[e] })
	j.kept = len(j.entries)
}

// lostSteps lists what to run for the variables in lost, and what ought to be
// but is unfit. alive tells of variables that exist: what they were before is
// not needed again.
func (j *journal) lostSteps(lost map[string]int, alive func(string) bool) (steps []step, skipped []*entry) {
	p := newPlanner(j.entries)
	p.alive = alive
	for name := range lost {
		p.want(name)
	}
	return p.plan(), p.skipped()
}

// allSteps lists what would have to run if the worker and these variables were
// lost now.
func (j *journal) allSteps(variables map[string]int) []step {
	p := newPlanner(j.entries)
	p.all = true
	for name := range variables {
		p.want(name)
	}
	return p.plan()
}

// unfit notes why cell n is not run again.
func (j *journal) unfit(n int, why string) {
	for _, e := range j.entries {
		if e.n == n && e.unfit == "" && !e.gone {
			e.unfit = why
		}
	}
}

// last returns the last run of cell n, or nil.
func (j *journal) last(n int) *entry {
	for _, e := range slices.Backward(j.entries) {
		if e.n == n {
			return e
		}
	}
	return nil
}
