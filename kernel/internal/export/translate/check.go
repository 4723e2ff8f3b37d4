package translate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/program/check"
)

// A checked is the program after a type check.
type checked struct {
	b     *translation
	fset  *token.FileSet
	files []*file
	heads []int // lengths of the files' heads
	trees []*ast.File
	info  *types.Info
	errs  []types.Error
}

// checkProgram checks the types of the program that was written last. If that shows that it must be written in
// another way, it sets translation.again.
func (b *translation) checkProgram() error {
	c := &checked{b: b, fset: token.NewFileSet(), info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
	}}
	for _, f := range []*file{b.main, b.test} {
		if f.text.Len() == 0 {
			continue
		}
		text, head := f.complete("")
		tree, err := parser.ParseFile(c.fset, f.name, text, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("export: the program has a syntax error; this is a bug in Perijove, not in the notebook; please report it: %w", err)
		}
		c.files, c.heads, c.trees = append(c.files, f), append(c.heads, head), append(c.trees, tree)
	}
	conf := types.Config{Importer: b.Pkgs, Error: func(err error) {
		if e, ok := err.(types.Error); ok {
			c.errs = append(c.errs, e)
		}
	}}
	conf.Check("main", c.fset, c.trees, c.info)
	c.findResults()
	c.findKeys()
	c.findConstants()
	c.findKept()
	before := b.again
	c.findUnused()
	if !b.again && !before {
		c.report()
	}
	return nil
}

// place returns the chunk of a position and the offset in its source.
func (c *checked) place(pos token.Pos) (chunk, int, bool) {
	for i, tree := range c.trees {
		if pos >= tree.FileStart && pos < tree.FileEnd {
			return c.files[i].find(int(pos-tree.FileStart) - c.heads[i])
		}
	}
	return chunk{}, 0, false
}

// findResults decides how the values of last expressions are printed.
func (c *checked) findResults() {
	for i, tree := range c.trees {
		want := map[[2]int]*resolve.Stmt{}
		for _, ch := range c.files[i].chunks {
			if ch.stmt != nil && ch.stmt.IsResult() && c.b.results[ch.stmt] == unknown {
				want[[2]int{ch.start + c.heads[i], ch.end + c.heads[i]}] = ch.stmt
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			x, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			key := [2]int{int(x.Pos() - tree.FileStart), int(x.End() - tree.FileStart)}
			if st := want[key]; st != nil && isKnown(c.info.Types[x]) {
				c.b.results[st] = c.b.resultOf(st, c.info.Types[x], check.IsPrint(c.info, x))
				c.b.again = true
				delete(want, key)
			}
			return true
		})
		for _, st := range want {
			if _, err := parser.ParseExpr(st.Text[st.Expr.Start:st.Expr.End]); err != nil { // a list of values
				c.b.results[st] = shown
				if st.Step.Cell.HideResult {
					c.b.Refuse(st.Step, st.Pos, "a list of values that is not shown cannot be exported: remove it")
				}
			}
		}
	}
}

// isKnown reports whether an expression has no error.
func isKnown(tv types.TypeAndValue) bool {
	return tv.Type != nil && tv.Type != types.Typ[types.Invalid]
}

// findKeys finds keys of composite literals that are values, and not fields.
func (c *checked) findKeys() {
	for _, tree := range c.trees {
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || c.info.Types[lit].Type == nil {
				return true
			}
			t := c.info.Types[lit].Type.Underlying()
			if p, ok := t.(*types.Pointer); ok {
				t = p.Elem().Underlying()
			}
			if _, isStruct := t.(*types.Struct); isStruct {
				return true
			}
			for _, e := range lit.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if id, ok := kv.Key.(*ast.Ident); ok {
					c.noteKey(id)
				}
			}
			return true
		})
	}
}

func (c *checked) noteKey(id *ast.Ident) {
	ch, off, ok := c.place(id.Pos())
	if !ok {
		return
	}
	for _, r := range ch.src.Refs {
		if key := (keyAt{ch.src, off}); r.Off == off && r.Key && !c.b.valueKeys[key] {
			c.b.valueKeys[key], c.b.again = true, true
		}
	}
}

// findUnused finds local variables that the compiler would report as unused.
func (c *checked) findUnused() {
	for _, e := range c.errs {
		if !strings.HasPrefix(e.Msg, "declared and not used") {
			continue
		}
		ch, off, ok := c.place(e.Pos)
		if !ok || ch.stmt == nil {
			continue
		}
		for _, n := range ch.stmt.Names {
			if n.Off != off || n.Name == "_" {
				continue
			}
			v := c.b.Tables[ch.stmt.Step.Index][n.Name].Variable()
			if c.b.isWritten(v) {
				c.b.promoted[v] = true
			} else {
				c.b.unused[v] = true
			}
			c.b.again = true
		}
	}
}

// isWritten reports whether something other than its declarations refers to a variable.
func (b *translation) isWritten(v *resolve.Entity) bool {
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			for _, r := range st.Refs {
				if e := b.LookupIn(st, r).Entity; e != nil && e.Kind == cell.Var && e.Variable() == v && !declaresAt(st, r) {
					return true
				}
			}
		}
	}
	return false
}

func declaresAt(st *resolve.Stmt, r cell.Ref) bool {
	for i, n := range st.Names {
		if n.Off == r.Off && st.New[i] {
			return true
		}
	}
	return false
}

// report refuses the cells with errors of types.
func (c *checked) report() {
	for _, e := range c.errs {
		msg := e.Msg
		if strings.HasSuffix(msg, "imported and not used") || strings.HasPrefix(msg, "\t") {
			continue
		}
		ch, off, ok := c.place(e.Pos)
		if !ok {
			c.b.Errs = append(c.b.Errs, &cell.Error{Cell: c.b.Steps[0].Cell.N, Msg: "the program does not compile; this is a bug in Perijove, not in the notebook; please report it: " + c.fset.Position(e.Pos).String() + ": " + msg})
			continue
		}
		pos := ch.src.PosIn(min(off, len(ch.src.Text)))
		if ch.at != ch.step.Index {
			c.b.Refuse(ch.step, pos, "this does not compile after %s, which declares a name again: %s; give the new declaration another name",
				cell.Name(c.b.Steps[ch.at].Cell.N), msg)
			continue
		}
		c.b.Fail(ch.step, pos, "%s", msg)
	}
}
