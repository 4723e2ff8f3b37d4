package program

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// SetUninitialized replaces the list of packages that are not initialized, by import path. failed says whether an
// initialization has just failed. If it has, a package is initialized again only after another cell imports it.
func (p *Program) SetUninitialized(list map[string]symtab.Failure, failed bool) {
	defer p.change()()
	p.table.Uninitialized.Failures = list
	maps.DeleteFunc(p.table.Uninitialized.Retry, func(path string, _ bool) bool {
		_, still := list[path]
		return failed || !still
	})
}

// retried lists the uninitialized packages that are to be initialized again: those that the cell imports, and those
// that older cells have imported since the initialization failed.
func (b *builder) retried() []string {
	list := slices.Collect(maps.Keys(b.table.Uninitialized.Retry))
	for path := range b.importPos {
		if _, ok := b.table.Uninitialized.Failures[path]; ok {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// refused returns the packages that the cell must not refer to, with the failures of their initialization.
func (b *builder) refused() map[string]symtab.Failure {
	list := maps.Clone(b.table.Uninitialized.Failures)
	for _, path := range b.retried() {
		delete(list, b.table.Uninitialized.Failures[path].Package)
		delete(list, path)
	}
	return list
}

// checkInitialized returns an error for each uninitialized package that the cell uses, at the first use.
func (b *builder) checkInitialized(r *check.Result) cell.Errors {
	refused := b.refused()
	if len(refused) == 0 {
		return nil
	}
	users := b.table.Dependents(slices.Sorted(maps.Keys(refused)))
	found := map[string]token.Pos{}
	text := map[string]string{}
	note := func(path, msg string, at token.Pos) {
		if old, ok := found[path]; (!ok || at < old) && b.inCell(r, at) {
			found[path], text[path] = at, msg
		}
	}
	for id, obj := range r.Info.Uses {
		if pn, ok := obj.(*types.PkgName); ok {
			obj = types.NewTypeName(token.NoPos, pn.Imported(), pn.Name(), nil)
		}
		if path := b.dependsOn(r, obj, users); path != "" {
			note(path, fmt.Sprintf("%s needs package %s, which is not initialized: ", mangle.Demangle(id.Name), path), id.Pos())
		} else if obj.Pkg() != nil {
			path := obj.Pkg().Path()
			if _, ok := refused[path]; ok {
				note(path, fmt.Sprintf("package %s is not initialized: ", path), id.Pos())
			}
		}
	}
	var errs cell.Errors
	for path, at := range found {
		errs = append(errs, b.checker().ErrorAt(r.Fset.Position(at), text[path]+refused[path].Describe(path)))
	}
	return errs.Sorted()
}

// dependsOn returns the uninitialized package that obj depends on, if obj is a declaration of an older cell. It returns
// "" if there is none.
func (b *builder) dependsOn(r *check.Result, obj types.Object, users map[*symtab.Symbol]string) string {
	if obj.Pkg() != r.Pkg {
		return ""
	}
	key := mangle.Demangle(obj.Name())
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		key = check.ReceiverName(fn) + "." + key
	} else if obj.Parent() != r.Pkg.Scope() {
		return ""
	}
	if b.fresh[key] != nil || b.vars[key] != nil {
		return ""
	}
	return users[b.table.Names[key]]
}

// inCell reports whether a place is in the text of the cell.
func (b *builder) inCell(r *check.Result, at token.Pos) bool {
	n, ok := cell.Number(r.Fset.Position(at).Filename)
	return ok && n == b.cell.N
}
