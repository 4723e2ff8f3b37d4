package program

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/instrument"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// compile compiles the files of an emitter and returns the object.
func (b *builder) compile(ctx context.Context, e *emit.Emitter) (object string, err error) {
	paths := make([]string, 0, len(e.Paths))
	for path := range e.Paths {
		if path != "unsafe" {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	files := make([]compiler.File, 0, len(e.Files))
	for _, f := range e.Files {
		files = append(files, compiler.File{Name: f.Name, Text: f.Text()})
	}
	object, err = b.p.Compiler.Compile(ctx, paths, files)
	var refused *compiler.Error
	if errors.As(err, &refused) {
		if errs := b.checker().CompilerErrors(refused.Output); len(errs) > 0 {
			return "", errs
		}
		return "", fmt.Errorf("%s", mangle.Demangle(err.Error()))
	}
	return object, err
}

// instrument inserts code into the functions of a unit that lets them be
// interrupted. r is the result of checking the unit. If the files have changed
// since, because recompiled functions have got other names, instrument checks them again.
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
	for _, methods := range b.table.Methods {
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
