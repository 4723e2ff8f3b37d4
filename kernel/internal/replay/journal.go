// Package replay knows which cells to run again when a worker and the
// notebook's variables are lost: it keeps what each run of a cell made and
// changed, and finds the runs whose work is needed.
package replay

import (
	"slices"
)

// A Journal keeps the runs of cells that made or changed variables, in their
// order. The zero value is empty.
type Journal struct {
	entries []*Entry
	kept    int // how many were left by the last prune
}

// Add notes a run, unless it changed nothing.
func (j *Journal) Add(e *Entry) {
	d := e.Effects
	if len(d.Declares)+len(d.Defines)+len(d.Assigns)+len(d.Writes) == 0 && !d.Process {
		return
	}
	j.entries = append(j.entries, e)
	if len(j.entries) > 2*j.kept+1000 {
		j.prune()
	}
}

// WorkerDied notes that what all runs did is gone.
func (j *Journal) WorkerDied() {
	for _, e := range j.entries {
		e.IsGone = true
	}
}

// prune drops the runs whose work was overwritten.
func (j *Journal) prune() {
	p := newPlanner(j.entries)
	p.assumeAllLost = true
	for name := range p.current {
		p.requireName(name)
	}
	keep := map[*Entry]bool{}
	for _, s := range p.plan() {
		keep[s.Entry] = true
	}
	for _, id := range p.current {
		keep[j.entries[p.versions[id].run]] = true
	}
	j.entries = slices.DeleteFunc(j.entries, func(e *Entry) bool { return !keep[e] })
	j.kept = len(j.entries)
}

// LostSteps lists what to run for the variables in lost, and what ought to be
// but is unfit. alive tells of variables that exist: what they were before is
// not needed again.
func (j *Journal) LostSteps(lost map[string]int, alive func(string) bool) (steps []Step, skipped []*Entry) {
	p := newPlanner(j.entries)
	p.isAlive = alive
	for name := range lost {
		p.requireName(name)
	}
	return p.plan(), p.skipped()
}

// AllSteps lists what would have to run if the worker and these variables were
// lost now.
func (j *Journal) AllSteps(variables map[string]int) []Step {
	p := newPlanner(j.entries)
	p.assumeAllLost = true
	for name := range variables {
		p.requireName(name)
	}
	return p.plan()
}

// SetUnfit notes why cell n is not run again.
func (j *Journal) SetUnfit(n int, why string) {
	for _, e := range j.entries {
		if e.Cell == n && e.Unfit == "" && !e.IsGone {
			e.Unfit = why
		}
	}
}

// Last returns the last run of cell n, or nil.
func (j *Journal) Last(n int) *Entry {
	for _, e := range slices.Backward(j.entries) {
		if e.Cell == n {
			return e
		}
	}
	return nil
}
