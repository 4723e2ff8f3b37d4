package program

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// Changed forgets what is known of compiled packages and reports whether types
// or signatures that these export are others than before.
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

// Reload notes that packages have been replaced in the worker. Declarations
// that depend on them are compiled again when they are next used; if types
// were made anew, older callers keep the old ones.
func (p *Program) Reload(paths []string, renewed bool) {
	defer p.change()()
	for s := range p.dependents(paths) {
		if s.kind != cell.Var {
			s.loaded = false
			s.renew = s.renew || renewed
		}
	}
	for _, path := range paths {
		delete(p.uninit.packages, path) // the next cell has them initialized
		delete(p.uninit.retry, path)
	}
	for _, path := range p.allBlank { // their init functions run again
		if slices.Contains(paths, path) && !slices.Contains(p.blanks, path) {
			p.blanks = append(p.blanks, path)
		}
	}
}

// mentions returns the one of the packages that a symbol's source or type mentions, or "".
func (s *symbol) mentions(paths []string) string {
	var refs []cell.Ref
	if s.decl != nil {
		refs = s.decl.Refs
	}
	binds := s.binds
	if s.witness != nil {
		refs, binds = s.witness.refs, s.witness.binds
	}
	for _, r := range refs {
		if b := binds[r.Name]; (b.kind == imported || b.kind == dotted) && slices.Contains(paths, b.path) {
			return b.path
		}
	}
	if s.typ != nil {
		for _, path := range s.typ.Paths {
			if slices.Contains(paths, path) {
				return path
			}
		}
	}
	return ""
}
