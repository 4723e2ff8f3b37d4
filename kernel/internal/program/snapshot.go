package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/hoist"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A Snapshot is the state of a Program after the last Commit, for one query of an editor. It does not change, and
// does not wait for a Build. It leaves out packages whose export data is not available by the snapshot's deadline.
type Snapshot struct {
	Table    *symtab.Table // the symbol table, only for reading
	Packages *exportdata.Packages

	p *Program
}

// Snapshot returns a snapshot. It may be called concurrently with all other methods.
func (p *Program) Snapshot() *Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shared = true
	pkgs := p.pkgs.ForQuery()
	return &Snapshot{p.table, pkgs, &Program{cfg: p.cfg, pkgs: pkgs, table: p.table, isSnapshot: true}}
}

// Available returns the names of the packages that cells can import, by import path. It returns none if the Importer
// does not answer by the deadline.
func (s *Snapshot) Available() map[string]string {
	im, ok := s.p.cfg.Importer.(packageLister)
	if !ok {
		return nil
	}
	list, _ := exportdata.Within(time.Until(s.Packages.Deadline), im.Packages)
	return list
}

// Checked is the result of go/types for a cell.
type Checked struct {
	Fset  *token.FileSet
	Files []*ast.File
	Pkg   *types.Package
	Info  *types.Info
}

// Check type-checks a cell with all function bodies, and ignores errors in the cell. It returns nil if the cell
// cannot be checked at all.
func (s *Snapshot) Check(c *cell.Cell) *Checked {
	b := newBuilder(s.p, c)
	b.declare()
	b.stmts = hoist.Hoist(b.stmts, b.fresh, b.methods)
	if errs := b.resolve(); len(errs) > 0 {
		return nil
	}
	u := b.input(b.reach(nil))
	u.IsShape, u.WithBodies = true, true
	e := emit.Write(u)
	r, err := b.checker().Check(e)
	if err != nil || r.Pkg == nil {
		return nil
	}
	return &Checked{r.Fset, r.Files, r.Pkg, r.Info}
}
