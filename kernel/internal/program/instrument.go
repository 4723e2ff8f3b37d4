package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/instrument"
)

// instrument makes the functions of a unit fit to be interrupted. r is what the
// check of the same files gave. Files that have been written anew since, as
// recompiled functions have got other names, are checked again.
func (b *builder) instrument(e *emit.Emitter, r *check.Result) error {
	if !r.Describes(e) {
		var err error
		if r, err = b.checker().Check(e); err != nil {
			return err
		}
		if len(r.Faults) > 0 {
			return check.Errors(r.Faults)
		}
	}
	u := instrument.Unit{Fset: r.Fset, Info: r.Info, Pkg: r.Pkg, HasMethod: b.hasMethod}
	added := false
	for i, af := range r.Files {
		for _, in := range u.Insertions(af, r.Texts[i]) {
			e.Files[i].Insert(in.Offset, in.Text)
			added = true
		}
	}
	if added {
		f := e.Files[0]
		end := len(f.CheckedText())
		f.Insert(end, instrument.Declarations)
	}
	return nil
}

// hasMethod reports whether the notebook declares a method of this name.
func (b *builder) hasMethod(name string) bool {
	for _, methods := range b.t.Methods {
		for _, m := range methods {
			if m.GoName == name {
				return true
			}
		}
	}
	for _, s := range b.decls {
		if s.Kind == cell.Func && s.Recv != "" && s.GoName == name {
			return true
		}
	}
	return false
}
