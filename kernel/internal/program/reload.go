package program

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// Changed clears the cache of compiled packages. It reports whether types or signatures that the packages paths
// export have changed.
func (p *Program) Changed(paths []string) bool {
	p.building.Lock()
	defer p.building.Unlock()
	old := p.pkgs.Known()
	p.pkgs.Forget()
	for _, path := range paths {
		was := old[path]
		if was == nil || !was.Complete() {
			continue // nothing of the notebook was compiled with it
		}
		now, err := p.pkgs.Import(path)
		if err != nil || exportdata.API(was) != exportdata.API(now) {
			return true
		}
	}
	return false
}

// Reload records that packages have been replaced in the worker process. Declarations that depend on them are
// compiled again when cells next use the declarations. If renewed is true, the packages have new types, and older
// callers keep the old code.
func (p *Program) Reload(paths []string, renewed bool) {
	defer p.change()()
	for s := range p.table.Dependents(paths) {
		if s.Kind != cell.Var {
			s.IsLoaded = false
			s.NeedsNewStub = s.NeedsNewStub || renewed
		}
	}
	if renewed {
		p.table.ForgetFormerLinks()
	}
	for _, path := range paths {
		delete(p.table.Uninitialized.Failures, path) // they are initialized with the next cell
		delete(p.table.Uninitialized.Retry, path)
	}
	for _, path := range p.table.BlankImports { // their init functions run again
		if slices.Contains(paths, path) && !slices.Contains(p.table.PendingBlanks, path) {
			p.table.PendingBlanks = append(p.table.PendingBlanks, path)
		}
	}
}
