package translate

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/naming"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

const stopwatchPackage = libraryModule + "/lib/stopwatch"

// withNote are directives that measure or check cells. The program runs the cells without that, and a comment says how to do the same in a program.
var withNote = map[string]string{
	"%%trace": "mp.Trace records the goroutines and processes of a program",
	"%%prof":  "package runtime/pprof profiles a program",
	"%race":   "go run -race . runs the program with the race detector",
}

// starts reports whether a measurement of %time or %%time begins before the statement. stops reports whether one ends after it.
func (st *stmt) starts() bool { return st.Starts || st.step.cell.Timed && st == st.step.stmts[0] }

func (st *stmt) stops() bool {
	return st.Stops || st.step.cell.Timed && st == st.step.stmts[len(st.step.stmts)-1]
}

// isMeasured reports whether the time of a cell is printed before its value.
func (s *step) isMeasured() bool {
	n := len(s.stmts)
	return s.cell.Timed || n > 0 && s.stmts[n-1].Stops
}

// watch returns the name of the variable that measures a statement. Each measurement has a variable.
func (f *file) watch(st *stmt) string {
	first := st
	for _, x := range st.step.stmts {
		if x.starts() {
			first = x
		}
		if x == st {
			break
		}
	}
	return f.b.watches[first]
}

func (f *file) startWatch(st *stmt) {
	if st.starts() {
		f.printf("%s := %s.Start()\n", f.watch(st), f.pkg(stopwatchPackage))
	}
}

func (f *file) stopWatch(st *stmt) {
	if st.stops() {
		f.endLine()
		f.printf("%s.Print()\n", f.watch(st))
	}
}

// nameWatches chooses the names of the variables that measure statements.
func (b *book) nameWatches(names *naming.Set) {
	b.watches = map[*stmt]string{}
	for _, s := range b.steps {
		for _, st := range s.stmts {
			if st.starts() {
				b.watches[st] = names.Pick("watch", b.idents)
			}
		}
	}
}

// loop writes a statement that %timeit or %%bench repeats.
func (f *file) loop(st *stmt) {
	c, l := f.copyStmt(st), st.Loop
	end := "}\n}"
	if l.Bench {
		name := naming.Unused("b", f.b.idents)
		testing := f.pkg("testing")
		f.printf("%s.Println(%q, %s.Benchmark(func(%s *%[3]s.B) ", f.pkg("fmt"), cell.Name(st.step.cell.N), testing, name)
		end = "}\n}))"
		f.loopPart(c, st, 0, l.Body)
		f.printf("\nfor %s.Loop() {\n", name)
	} else {
		hasBefore := l.Body > 1 && f.hasText(st, 1, l.Body)
		if hasBefore {
			f.loopPart(c, st, 0, l.Body)
			end += "\n}"
		}
		f.printf("\nfor %[1]s := range %s.Repeat(%d, %d) {\nfor range %[1]s {\n", naming.Unused("n", f.b.idents), f.pkg(stopwatchPackage), l.Loops, l.Runs)
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
func (f *file) hasText(st *stmt, from, to int) bool { return len(source.Tokens(st.Text[from:to])) > 0 }

// loopPart writes a part of a repeated statement. It passes unused values to runtime.KeepAlive, so that the compiler computes them.
func (f *file) loopPart(c copier, st *stmt, from, to int) {
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
	stmt  *stmt
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
