package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/emit"
)

// large is above how many bytes a variable is kept alive by its address:
// copying it would take time. A variable with an address has no register.
const large = 64

// loops lists the statements that are repeated, with their blocks in the
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

// loopFault reports whether a fault is about what a loop may have: a variable
// or value that is not used.
func (b *builder) loopFault(r *check.Result, entry *ast.FuncDecl, f check.Fault) bool {
	for st, block := range b.loops(entry) {
		if f.Pos < block.Pos() || f.Pos >= block.End() {
			continue
		}
		switch {
		case strings.HasPrefix(f.Err.Msg, "declared and not used"):
			return definedIn(block, f.Pos)
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

// definedIn reports whether a statement of the block itself, or of the part
// that is repeated, defines a variable at pos.
func definedIn(block *ast.BlockStmt, pos token.Pos) bool {
	list := block.List
	if n := len(list); n > 0 {
		if body, ok := list[n-1].(*ast.BlockStmt); ok {
			list = append(list[:n-1:n-1], body.List...)
		}
	}
	for _, id := range check.TopLevelVars(list) {
		if id.Pos() == pos {
			return true
		}
	}
	return false
}

// recordLoops finds out what keeping a loop's values and variables takes.
func (b *builder) recordLoops(r *check.Result, entry *ast.FuncDecl) {
	for st, block := range b.loops(entry) {
		st.KeptValues, st.KeptVars = nil, nil
		for _, u := range cell.Unused(block.List) {
			st.KeptValues = append(st.KeptValues, emit.Kept{Results: results(r.Info.Types[u.X])})
		}
		for _, v := range st.Loop.Vars {
			st.KeptVars = append(st.KeptVars, emit.Kept{Address: addressFor(r, block, v.Name)})
		}
	}
}

// results counts the values of an expression.
func results(tv types.TypeAndValue) int {
	if t, ok := tv.Type.(*types.Tuple); ok {
		return t.Len()
	}
	if tv.IsValue() {
		return 1
	}
	return 0
}

func addressFor(r *check.Result, block *ast.BlockStmt, name string) string {
	address := ""
	ast.Inspect(block, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name {
			return true
		}
		if v, ok := r.Info.Defs[id].(*types.Var); ok && types.SizesFor("gc", "amd64").Sizeof(v.Type()) > large {
			address = "&"
		}
		return true
	})
	return address
}
