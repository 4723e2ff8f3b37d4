package translate

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/naming"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

const stopwatchPackage = resolve.LibraryModule + "/lib/stopwatch"

// withNote are directives that measure or check cells. The program runs the cells without measuring or checking, and a
// comment says how to do that in a program.
var withNote = map[string]string{
	"%%trace": "mp.Trace records the goroutines and processes of a program",
	"%%prof":  "package runtime/pprof profiles a program",
	"%race":   "go run -race . runs the program with the race detector",
}

// watch returns the name of the variable that measures a statement. Each measurement has a variable.
func (f *file) watch(st *resolve.Stmt) string {
	first := st
	for _, x := range st.Step.Stmts {
		if x.StartsWatch() {
			first = x
		}
		if x == st {
			break
		}
	}
	return f.b.watches[first]
}

func (f *file) startWatch(st *resolve.Stmt) {
	if st.StartsWatch() {
		f.printf("%s := %s.Start()\n", f.watch(st), f.pkg(stopwatchPackage))
	}
}

func (f *file) stopWatch(st *resolve.Stmt) {
	if st.StopsWatch() {
		f.endLine()
		f.printf("%s.Print()\n", f.watch(st))
	}
}

// nameWatches chooses the names of the variables that measure statements.
func (b *translation) nameWatches(names *naming.Set) {
	b.watches = map[*resolve.Stmt]string{}
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			if st.StartsWatch() {
				b.watches[st] = names.Pick("watch", b.Idents)
			}
		}
	}
}

// loop writes a statement that %timeit or %%bench repeats.
func (f *file) loop(st *resolve.Stmt) {
	c, l := f.copyStmt(st), st.Loop
	end := "}\n}"
	if l.Bench {
		name := naming.Unused("b", f.b.Idents)
		testing := f.pkg("testing")
		f.printf("%s.Println(%q, %s.Benchmark(func(%s *%[3]s.B) ", f.pkg("fmt"), cell.Name(st.Step.Cell.N), testing, name)
		end = "}\n}))"
		f.loopPart(c, st, 0, l.Body)
		f.printf("\nfor %s.Loop() {\n", name)
	} else {
		hasBefore := l.Body > 1 && f.hasText(st, 1, l.Body)
		if hasBefore {
			f.loopPart(c, st, 0, l.Body)
			end += "\n}"
		}
		f.printf("\nfor %[1]s := range %s.Repeat(%d, %d) {\nfor range %[1]s {\n", naming.Unused("n", f.b.Idents), f.pkg(stopwatchPackage), l.Loops, l.Runs)
	}
	if l.Own {
		f.printf("func() {\n")
		end = "}()\n" + end
	}
	f.loopPart(c, st, l.Body, l.End)
	f.endLine()
	for _, v := range l.Vars {
		f.printf("%s.KeepAlive(%s)\n", f.pkg("runtime"), v.Name)
	}
	f.printf("%s", end)
}

// hasText reports whether a range of a statement has code.
func (f *file) hasText(st *resolve.Stmt, from, to int) bool {
	return len(source.Tokens(st.Text[from:to])) > 0
}

// loopPart writes a part of a repeated statement. It passes unused values to runtime.KeepAlive, so that the compiler computes them.
func (f *file) loopPart(c copier, st *resolve.Stmt, from, to int) {
	to = from + len(strings.TrimRight(st.Text[from:to], " \t\n"))
	for i, v := range st.Loop.Kept {
		if v.Span.Start < from || v.Span.End > to || v.Call && (st.Loop.Bench || !f.b.kept[keptAt{st, i}]) {
			continue
		}
		c.write(from, v.Start, nil)
		f.printf("%s.KeepAlive(", f.pkg("runtime"))
		c.write(v.Span.Start, v.Span.End, nil)
		f.printf(")")
		from = v.Span.End
	}
	c.write(from, to, nil)
}

// A keptAt is an unused value of a repeated statement.
type keptAt struct {
	stmt  *resolve.Stmt
	index int
}

// findKept finds the calls in repeated statements that have one value.
func (c *checked) findKept() {
	for _, tree := range c.trees {
		ast.Inspect(tree, func(n ast.Node) bool {
			x, ok := n.(*ast.ExprStmt)
			if !ok {
				return true
			}
			ch, off, ok := c.place(x.Pos())
			if !ok || ch.stmt == nil || ch.stmt.Loop == nil {
				return true
			}
			_, isTuple := c.info.Types[x.X].Type.(*types.Tuple)
			for i, v := range ch.stmt.Loop.Kept {
				if key := (keptAt{ch.stmt, i}); v.Span.Start == off && v.Call && !isTuple && isKnown(c.info.Types[x.X]) && c.info.Types[x.X].IsValue() && !c.b.kept[key] {
					c.b.kept[key], c.b.again = true, true
				}
			}
			return true
		})
	}
}

// hasCode reports whether a cell has statements, or functions that are exported.
func hasCode(s *resolve.Step) bool { return len(s.Stmts)+len(s.Cell.Decls) > 0 }
