package program

import (
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// WorkerLost removes all variables, since they were lost with the worker process, and returns them. Functions, types
// and constants stay as source and are compiled again when a cell next uses them.
func (p *Program) WorkerLost() []Variable {
	defer p.change()()
	return p.table.WorkerLost()
}

// Lost returns the variables that were lost with a worker process and have not been declared again, with the numbers of
// the cells that declared them.
func (p *Program) Lost() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.table.Lost)
}

// MarkLost adds the variables in n, with the numbers of their cells, to the variables that Lost returns. These
// variables exist, but do not have the values that the cells gave them. A new declaration removes the mark.
func (p *Program) MarkLost(n map[string]int) {
	defer p.change()()
	maps.Copy(p.table.Lost, n)
}

// ClearLost removes the marks of MarkLost from all variables that exist.
func (p *Program) ClearLost() {
	defer p.change()()
	maps.DeleteFunc(p.table.Lost, func(name string, _ int) bool {
		s := p.table.Names[name]
		return s != nil && s.Kind == cell.Var
	})
}

// Reimport clears the cache of compiled packages, since the packages may have changed.
func (p *Program) Reimport() {
	p.building.Lock()
	defer p.building.Unlock()
	p.pkgs.Forget()
}

// Dropped returns the link symbols of the variables and functions to which no name refers any more, sorted.
func (p *Program) Dropped() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.table.Unnamed))
}

// Variables lists the live variables in the order of their cells.
func (p *Program) Variables() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.Variables()
}

// Declarations lists the imports, then all live declarations in the order of their cells, then the declarations that
// a later change made invalid, with the reason.
func (p *Program) Declarations() []Declaration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.Declarations()
}

// Remove removes a declaration, and for a type also its methods. It returns the declarations that need the removed
// one. Those of them that are loaded keep their code, but cannot be compiled again without the removed declaration.
func (p *Program) Remove(name string) ([]Declaration, error) {
	defer p.change()()
	return p.table.RemoveName(name)
}

// Source returns the text of an executed cell.
func (p *Program) Source(n int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.table.Cells[n]
	if !ok {
		return "", false
	}
	return o.Source, true
}

// Checked returns the result of go/types for the last committed cell and the older declarations that the cell uses.
// It returns nil before the first Commit.
func (p *Program) Checked() (*types.Package, *types.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table.LastCheck == nil {
		return nil, nil
	}
	return p.table.LastCheck.Pkg, p.table.LastCheck.Info
}
