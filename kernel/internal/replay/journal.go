// Package replay finds the cells to run again when a worker process and the notebook's variables are lost. It records
// the names that each run of a cell declared and changed, and finds the runs whose effects are needed.
package replay

import (
	"slices"
)

// A Journal keeps the runs of cells that made or changed variables, in the order of the runs. The zero value is
// empty.
type Journal struct {
	entries []*Entry
	kept    int // the number of entries after the last prune
}

// Add records a run, unless it changed nothing.
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

// WorkerDied records that the effects of all runs are lost, since the worker process has ended.
func (j *Journal) WorkerDied() {
	for _, e := range j.entries {
		e.IsGone = true
	}
}

// prune removes the runs whose effects later runs have overwritten.
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

// LostSteps lists the steps that restore the variables in lost. skipped has the runs that are needed but must not be
// repeated. alive reports whether a variable exists in the worker process; LostSteps does not restore such variables.
func (j *Journal) LostSteps(lost map[string]int, alive func(string) bool) (steps []Step, skipped []*Entry) {
	p := newPlanner(j.entries)
	p.isAlive = alive
	for name := range lost {
		p.requireName(name)
	}
	return p.plan(), p.skipped()
}

// AllSteps lists the steps that would restore these variables if the worker process were lost now.
func (j *Journal) AllSteps(variables map[string]int) []Step {
	p := newPlanner(j.entries)
	p.assumeAllLost = true
	for name := range variables {
		p.requireName(name)
	}
	return p.plan()
}

// SetUnfit records why cell n must not be run again.
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
