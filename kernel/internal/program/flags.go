package program

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

const flagPath = "flag"

// placeFlags moves the call of flag.Parse, which a %% line stands for. If var declarations below the line define flags,
// the call comes after the last of these declarations, since GoNB parses such flags, too.
func (b *builder) placeFlags() {
	from := slices.IndexFunc(b.stmts, func(st *emit.Stmt) bool { return st.Role == cell.ParseFlags })
	if from < 0 {
		return
	}
	last := -1
	for i, st := range b.stmts {
		if i > from && st.Var != nil && b.definesFlag(st.Refs) {
			last = i
		}
	}
	if last < 0 {
		return
	}
	var moved, list []*emit.Stmt
	parses := false
	for i, st := range b.stmts {
		switch {
		case st.Role == cell.CallInit, st.Role == cell.ParseFlags && !parses:
			moved = append(moved, st)
			parses = parses || st.Role == cell.ParseFlags
		case st.Role != cell.ParseFlags:
			list = append(list, st)
		}
		if i == last {
			list = append(list, moved...)
		}
	}
	b.stmts = list
}

// definesFlag reports whether a statement names a function that defines a flag.
func (b *builder) definesFlag(refs []cell.Ref) bool {
	return slices.ContainsFunc(refs, func(r cell.Ref) bool {
		bd := b.stmtBindings[r.Name]
		switch {
		case r.Top || bd.Path != flagPath:
			return false
		case bd.Kind == symtab.DotImported:
			return effects.DefinesFlag(r.Name)
		}
		return effects.DefinesFlag(r.Sel) || r.Sel == "CommandLine"
	})
}

// noteFlags collects the names of the command line flags that the cell defines.
// The worker process removes these from the flag set before the cell runs again.
func (b *builder) noteFlags(r *check.Result) {
	if r.ImportsPackage(flagPath) {
		b.flags = effects.Flags(r.Info, r.Files)
	}
}
