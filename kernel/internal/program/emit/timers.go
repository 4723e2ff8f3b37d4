package emit

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// Names of the generated functions for timing; the worker process implements them.
const (
	startName  = "start" + mangle.Mark
	stopName   = "stop" + mangle.Mark
	repeatName = "repeat" + mangle.Mark
)

// timing returns the code before and after a statement whose time is measured.
func (e *Emitter) timing(st *Stmt, before string) (string, string) {
	after := ""
	if st.Starts && !e.in.IsShape {
		e.helpers[startName] = true
		before = startName + "(); " + before
	}
	if st.Stops && !e.in.IsShape {
		e.helpers[stopName] = true
		after = "\n" + stopName + "()"
	}
	return before, after
}

// repeat returns edits that put the repeated part of a statement into two nested loops. The inner loop only counts, so
// that it costs little time.
func (e *Emitter) repeat(f *File, st *Stmt) (edits []edit) {
	l := st.Loop
	if l == nil {
		return nil
	}
	begin, end := "{", "}"
	switch {
	case e.in.IsShape:
	case l.Bench:
		begin, end = e.bench(f, st)
	default:
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

// benchmarksPackage runs benchmarks. The worker process loads it when a cell needs it.
const benchmarksPackage = "github.com/perijove/perijove/lib/internal/benchmarks"

// bench returns the code before and after the statements that %%bench measures. They become the body of a benchmark's loop.
func (e *Emitter) bench(f *File, st *Stmt) (begin, end string) {
	testing, b := f.useOwn("testing"), "b"+mangle.Mark
	begin = fmt.Sprintf("%s.Cell(%q, func(l []%s.InternalBenchmark) *%[3]s.M { return %[3]s.MainStart(%s.TestDeps{}, nil, l, nil, nil) }, func(%s *%[3]s.B) { for %[5]s.Loop() {",
		f.useOwn(benchmarksPackage), st.Loop.Report, testing, f.useOwn("testing/internal/testdeps"), b)
	end = e.keepVars(f, st)
	if st.Loop.Own {
		return begin + " func() {", end + "}() }})"
	}
	return begin, end + "}})"
}

// keepValue returns edits that use value i of the loop, which the cell does not use.
func (e *Emitter) keepValue(f *File, st *Stmt, i int, v cell.Value) []edit {
	if e.in.IsShape {
		if v.Call {
			return nil
		}
		return []edit{{v.Start, v.Span.Start, "_ = "}}
	}
	switch n := st.KeptValues[i].Results; {
	case n == 1:
		call := e.keepAlive(f, "")
		return []edit{{v.Start, v.Span.Start, strings.TrimSuffix(call, ")")}, {v.End, v.End, ")"}}
	case n == 0 || st.Loop.Jumps: // a goto must not jump over a declaration
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

// keepVars returns code that uses the variables of the loop's block.
func (e *Emitter) keepVars(f *File, st *Stmt) string {
	var b strings.Builder
	for i, r := range st.Loop.Vars {
		b.WriteString(e.keepAlive(f, st.KeptVars[i].Address+r.Name) + "\n")
	}
	return b.String()
}

func (e *Emitter) keepAlive(f *File, x string) string {
	return f.use("runtime"+mangle.Mark, "runtime") + ".KeepAlive(" + x + ")"
}
