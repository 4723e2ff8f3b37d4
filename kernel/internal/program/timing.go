package program

import (
	"go/ast"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
)

// loops returns the statements that a timing command repeats, with their blocks in the
// checked entry function.
func (b *builder) loops(entry *ast.FuncDecl) map[*emit.Stmt]*ast.BlockStmt {
	out := map[*emit.Stmt]*ast.BlockStmt{}
	for i, st := range b.stmts {
		if st.Loop == nil || entry == nil || i >= len(entry.Body.List) {
			continue
		}
		if block, ok := entry.Body.List[i].(*ast.BlockStmt); ok {
			out[st] = block
		}
	}
	return out
}

// loopFault reports whether a fault is about an unused variable or value in a
// repeated statement, which may have such variables and values.
func (b *builder) loopFault(r *check.Result, entry *ast.FuncDecl, f check.Fault) bool {
	for st, block := range b.loops(entry) {
		if f.Pos < block.Pos() || f.Pos >= block.End() {
			continue
		}
		switch {
		case strings.HasPrefix(f.Err.Msg, "declared and not used"):
			return check.DefinedIn(block, f.Pos)
		case strings.HasSuffix(f.Err.Msg, "is not used"):
			for i, u := range cell.Unused(block.List) {
				if f.Pos >= u.X.Pos() && f.Pos < u.X.End() && i < len(st.Loop.Kept) {
					return r.Info.Types[u.X].IsValue()
				}
			}
		}
	}
	return false
}

// recordLoops records how generated code keeps the values and variables of repeated statements alive.
func (b *builder) recordLoops(r *check.Result, entry *ast.FuncDecl) {
	for st, block := range b.loops(entry) {
		st.KeptValues, st.KeptVars = nil, nil
		for _, u := range cell.Unused(block.List) {
			st.KeptValues = append(st.KeptValues, emit.Kept{Results: check.Results(r.Info.Types[u.X])})
		}
		for _, v := range st.Loop.Vars {
			st.KeptVars = append(st.KeptVars, emit.Kept{Address: check.AddressFor(r, block, v.Name)})
		}
	}
}
