package program

import (
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/instrument"
)

// instrument makes the functions of a unit fit to be interrupted. r is what the
// check of the same files gave. Files that have been written anew since, as
// recompiled functions have got other names, are checked again.
func (b *builder) instrument(e *emit.Emitter, r *result) error {
	if !r.describes(e) {
		var err error
		if r, err = b.check(e); err != nil {
			return err
		}
		if len(r.faults) > 0 {
			return faultErrors(r.faults)
		}
	}
	u := instrument.Unit{Fset: r.fset, Info: r.info, Pkg: r.pkg, HasMethod: b.hasMethod}
	added := false
	for i, af := range r.files {
		for _, in := range u.Insertions(af, r.texts[i]) {
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

// describes reports whether r is about the files of an emitter as they are, but
// for the one that children alone run.
func (r *result) describes(e *emit.Emitter) bool {
	if len(r.texts) != len(e.Files) && (len(r.texts) != len(e.Files)-1 || !e.HasInitial()) {
		return false
	}
	for i, f := range e.Files[:len(r.texts)] {
		if f.CheckedText() != r.texts[i] {
			return false
		}
	}
	return true
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
