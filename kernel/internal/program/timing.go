package program

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// Names of the worker's functions that take the time.
const (
	startName  = "start" + mangle.Mark
	stopName   = "stop" + mangle.Mark
	repeatName = "repeat" + mangle.Mark
)

// large is above how many bytes a variable is kept alive by its address:
// copying it would take time. A variable with an address has no register.
const large = 64

// A kept value or variable is not used by the cell, and computed all the same.
type kept struct {
	results int    // of a value; 0 for a call of a function without
	address string // "&" for a large variable
}

// timing gives what stands before and after a statement whose time is taken.
func (e *emitter) timing(st *stmt, before string) (string, string) {
	after := ""
	if st.Starts && !e.shape {
		e.helpers[startName] = true
		before = startName + "(); " + before
	}
	if st.Stops && !e.shape {
		e.helpers[stopName] = true
		after = "\n" + stopName + "()"
	}
	return before, after
}

// repeat makes a loop of the statement's second part. Two loops, so that the
// inner one costs nothing but its counter.
func (e *emitter) repeat(f *file, st *stmt) (edits []edit) {
	l := st.Loop
	if l == nil {
		return nil
	}
	begin, end := "{", "}"
	if !e.shape {
		e.helpers[repeatName] = true
		n, call := "n"+mangle.Mark, fmt.Sprintf("%s(%d, %d)", repeatName, l.Loops, l.Runs)
		begin = fmt.Sprintf("for %s := %s; %s > 0; %s = %s { for range %s {", n, call, n, n, call, n)
		end = e.keepVars(f, st) + "}}"
		if l.Own {
			begin, end = begin+" func() {", e.keepVars(f, st)+"}() }}"
		}
	}
	edits = append(edits, edit{l.Body, l.Body, begin + " "})
	for i, v := range l.Kept {
		edits = append(edits, e.keepValue(f, st, i, v)...)
	}
	return append(edits, edit{l.End, l.End, "\n" + end})
}

// keepValue uses a value that the cell does not use.
func (e *emitter) keepValue(f *file, st *stmt, i int, v cell.Value) []edit {
	if e.shape {
		if v.Call {
			return nil
		}
		return []edit{{v.Start, v.Span.Start, "_ = "}}
	}
	switch n := st.values[i].results; {
	case n == 1:
		call := e.keepAlive(f, "")
		return []edit{{v.Start, v.Span.Start, strings.TrimSuffix(call, ")")}, {v.End, v.End, ")"}}
	case n == 0 || st.Loop.Jumps: // a goto must not leave out a definition
		return nil
	default:
		var names, uses []string
		for k := range n {
			name := fmt.Sprintf("k%s%d_%d", mangle.Mark, i, k)
			names = append(names, name)
			uses = append(uses, e.keepAlive(f, name))
		}
		return []edit{
			{v.Start, v.Span.Start, strings.Join(names, ", ") + " := "},
			{v.End, v.End, "; " + strings.Join(uses, "; ")},
		}
	}
}

// keepVars uses the variables of the loop's block.
func (e *emitter) keepVars(f *file, st *stmt) string {
	var b strings.Builder
	for i, r := range st.Loop.Vars {
		b.WriteString(e.keepAlive(f, st.vars[i].address+r.Name) + "\n")
	}
	return b.String()
}

func (e *emitter) keepAlive(f *file, x string) string {
	return f.use("runtime"+mangle.Mark, "runtime") + ".KeepAlive(" + x + ")"
}

// loops lists the statements that are repeated, with their blocks in the
// checked entry function.
func (b *builder) loops(entry *ast.FuncDecl) map[*stmt]*ast.BlockStmt {
	out := map[*stmt]*ast.BlockStmt{}
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
// or value that nobody uses.
func (b *builder) loopFault(r *result, entry *ast.FuncDecl, f fault) bool {
	for st, block := range b.loops(entry) {
		if f.pos < block.Pos() || f.pos >= block.End() {
			continue
		}
		switch {
		case strings.HasPrefix(f.err.Msg, "declared and not used"):
			return definedIn(block, f.pos)
		case strings.HasSuffix(f.err.Msg, "is not used"):
			for i, u := range cell.Unused(block.List) {
				if f.pos >= u.X.Pos() && f.pos < u.X.End() && i < len(st.Loop.Kept) {
					return r.info.Types[u.X].IsValue()
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
	for _, id := range topVars(list) {
		if id.Pos() == pos {
			return true
		}
	}
	return false
}

// settleLoops finds out what keeping a loop's values and variables takes.
func (b *builder) settleLoops(r *result, entry *ast.FuncDecl) {
	for st, block := range b.loops(entry) {
		st.values, st.vars = nil, nil
		for _, u := range cell.Unused(block.List) {
			st.values = append(st.values, kept{results: results(r.info.Types[u.X])})
		}
		for _, v := range st.Loop.Vars {
			st.vars = append(st.vars, kept{address: addressFor(r, block, v.Name)})
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

func addressFor(r *result, block *ast.BlockStmt, name string) string {
	address := ""
	ast.Inspect(block, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name {
			return true
		}
		if v, ok := r.info.Defs[id].(*types.Var); ok && types.SizesFor("gc", "amd64").Sizeof(v.Type()) > large {
			address = "&"
		}
		return true
	})
	return address
}
