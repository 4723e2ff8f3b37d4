package session

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/benchmark"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// testDirective handles %test: the tests run after the cell.
func (r *run) testDirective(d cell.DirectiveLine) error {
	args, err := splitWords(d.Args)
	if err != nil {
		return err
	}
	r.tests = &testRun{}
	for _, a := range args {
		name := strings.TrimLeft(a, "-")
		if flag, _, _ := strings.Cut(strings.TrimPrefix(name, "test."), "="); strings.HasPrefix(a, "-") && slices.Contains(fuzzFlags, flag) {
			return errNoFuzzing
		}
		if !strings.HasPrefix(a, "-") || strings.HasPrefix(name, "test.") || name == "args" {
			r.tests.args = append(r.tests.args, a)
		} else { // go test takes flags without "test."
			r.tests.args = append(r.tests.args, "-test."+name)
		}
	}
	return nil
}

// fuzzFlags are the flags of go test for generating inputs of fuzz tests.
var fuzzFlags = []string{"fuzz", "fuzztime", "fuzzminimizetime"}

// errNoFuzzing is the error for fuzzFlags.
var errNoFuzzing = errors.New("cannot generate fuzzing inputs: they need a test program with coverage counters, and cells have none; " +
	"%test and %test -run run Fuzz functions with the inputs of f.Add; to generate inputs, move the functions to a _test.go file and run go test -fuzz")

// A testKind is a kind of functions that go test runs.
type testKind struct {
	prefix    string
	signature string
	wanted    string
	list      string // the type of the elements of their list in package testing
}

var testKinds = []testKind{
	{"Test", "func(*testing.T)", "t *testing.T", "InternalTest"},
	{"Benchmark", "func(*testing.B)", "b *testing.B", "InternalBenchmark"},
	{"Fuzz", "func(*testing.F)", "f *testing.F", "InternalFuzzTarget"},
	{"Example", "func()", "", "InternalExample"},
}

// runTests runs test functions of the notebook in the worker process, through package testing. They have access to the
// notebook's variables.
func (r *run) runTests() *output.Error {
	funcs, hasMain, failed := r.testFunctions(testKinds)
	if failed != nil {
		return failed
	}
	if len(funcs) == 0 {
		return traceback.New("TestError", "there are no tests: declare functions such as func TestX(t *testing.T) or func BenchmarkX(b *testing.B)")
	}
	args := r.tests.args
	if len(args) == 0 {
		args = []string{"-test.v"}
		r.keepOwn(funcs)
		if len(funcs["Benchmark"]) > 0 {
			args = append(args, "-test.bench=.")
		}
	}
	code, err := r.testProgram(funcs, hasMain)
	if err != nil {
		return traceback.New("TestError", err.Error())
	}
	return r.withArgs(args, func() *output.Error { return r.runGenerated(code, true, testImports) })
}

// testFunctions lists the notebook's functions of some kinds, by prefix.
func (r *run) testFunctions(kinds []testKind) (funcs map[string][]program.Declaration, hasMain bool, failed *output.Error) {
	funcs = map[string][]program.Declaration{}
	for _, d := range r.session.program.Load().Declarations() {
		if d.Kind != "func" || d.Aside != "" {
			continue
		}
		if d.Name == "TestMain" && d.Signature == "func(*testing.M)" {
			hasMain = true
			continue
		}
		for _, k := range kinds {
			switch {
			case !isTestName(d.Name, k.prefix):
			case k.signature != d.Signature:
				return nil, false, traceback.New("TestError", fmt.Sprintf("wrong signature for %s, must be: func %s(%s)", d.Name, d.Name, k.wanted))
			default:
				funcs[k.prefix] = append(funcs[k.prefix], d)
			}
		}
	}
	return funcs, hasMain, nil
}

// keepOwn removes the functions of other cells if this cell declares any.
func (r *run) keepOwn(funcs map[string][]program.Declaration) {
	own := map[string][]program.Declaration{}
	for prefix, list := range funcs {
		for _, d := range list {
			if d.Cell == r.n {
				own[prefix] = append(own[prefix], d)
			}
		}
	}
	if len(own) > 0 {
		clear(funcs)
		maps.Copy(funcs, own)
	}
}

// runGenerated runs generated code, which imports packages under the names in imports.
func (r *run) runGenerated(code string, endsOnAnyPanic bool, imports []string) *output.Error {
	c, errs := cell.Parse(0, code)
	if errs != nil {
		return traceback.New("TestError", errs.Error())
	}
	defer func() {
		for _, name := range imports {
			_, _ = r.session.program.Load().Remove(name) // they are not the user's declarations
		}
	}()
	unnumbered := *r
	unnumbered.n = 0
	return unnumbered.load(c, endsOnAnyPanic, func(*program.Unit, *output.Error) {})
}

// withArgs runs f with args as the command line arguments, in place of the notebook's.
func (r *run) withArgs(args []string, f func() *output.Error) *output.Error {
	old := r.session.setup.Args
	defer func() {
		r.session.setup.Args = old
		back := old
		if back == nil {
			back = []string{"notebook"}
		}
		ctx, cancel := r.cleanupContext()
		defer cancel()
		_ = r.session.applySetup(ctx, control.Setup{Args: back}) // fails only if the worker process has died, which the next cell reports
	}()
	r.session.setup.Args = append([]string{"notebook"}, args...)
	if err := r.session.applySetup(r.ctx, control.Setup{Args: r.session.setup.Args}); err != nil {
		return workerError(err)
	}
	return f()
}

// isTestName reports whether name is prefix, or prefix and a rest that does not begin with a
// lower-case letter, as go test requires.
func isTestName(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(first))
}

var testImports = []string{"testingʹt", "testdepsʹt", "osʹt", "reflectʹt", "benchmarksʹt"}

// testProgram returns the source of a cell that runs tests like the main function that
// go test generates.
func (r *run) testProgram(funcs map[string][]program.Declaration, hasMain bool) (string, error) {
	var b strings.Builder
	b.WriteString("import testingʹt \"testing\"\nimport testdepsʹt \"testing/internal/testdeps\"\nimport osʹt \"os\"\n")
	if hasMain {
		b.WriteString("import reflectʹt \"reflect\"\n")
	}
	b.WriteString("func() {\nm := testingʹt.MainStart(testdepsʹt.TestDeps{}")
	for _, k := range testKinds {
		fmt.Fprintf(&b, ",\n[]testingʹt.%s{", k.list)
		for _, d := range funcs[k.prefix] {
			if k.prefix != "Example" {
				fmt.Fprintf(&b, "{%q, %s}, ", d.Name, d.Name)
				continue
			}
			want, ok, err := r.exampleOutput(d)
			if err != nil {
				return "", err
			}
			if ok {
				fmt.Fprintf(&b, "{%q, %s, %s}, ", d.Name, d.Name, want)
			}
		}
		b.WriteString("}")
	}
	b.WriteString(")\n")
	if hasMain {
		b.WriteString("TestMain(m)\nosʹt.Exit(int(reflectʹt.ValueOf(m).Elem().FieldByName(\"exitCode\").Int()))\n}()\n")
	} else {
		b.WriteString("osʹt.Exit(m.Run())\n}()\n")
	}
	return b.String(), nil
}

// exampleOutput returns the expected output in the comment of an example. ok is false if
// there is none: such examples are compiled but not run.
func (r *run) exampleOutput(d program.Declaration) (want string, ok bool, err error) {
	src, known := r.session.program.Load().Source(d.Cell)
	c, errs := cell.Parse(d.Cell, src)
	if !known || errs != nil {
		return "", false, errors.New("the source of " + d.Name + " is no longer known: run its cell again")
	}
	for _, decl := range c.Decls {
		if ex := decl.Example; ex != nil && decl.Names[0].Name == d.Name {
			return strconv.Quote(ex.Output) + ", " + strconv.FormatBool(ex.Unordered), ex.Runs, nil
		}
	}
	return "", false, nil
}

// A benchRun has the options of a %%bench directive.
type benchRun struct {
	benchmark.Options
	report string // the file for the results
}

// benchDirective handles %%bench, which measures the cell or the benchmarks that it declares.
func (r *run) benchDirective(d cell.DirectiveLine) error {
	words, err := splitWords(d.Args)
	if err != nil {
		return err
	}
	options, err := benchmark.ParseOptions(words)
	if err != nil {
		return err
	}
	r.bench = &benchRun{options, filepath.Join(r.session.scratch.Path, fmt.Sprintf("bench%d", time.Now().UnixNano()))}
	return nil
}

// runBench runs a cell with %%bench and shows the results.
func (r *run) runBench(c *cell.Cell) *output.Error {
	defer os.Remove(r.bench.report) // fails if no benchmark has written the file
	args := r.session.setup.Args
	note := func(u *program.Unit, failed *output.Error) {
		during := r.session.setup.Args
		r.session.setup.Args = args
		r.addToJournal(r.code, u, failed)
		r.session.setup.Args = during
	}
	for _, st := range c.Stmts {
		if st.Loop != nil && st.Loop.Bench {
			st.Loop.Report = r.bench.report
			return r.showBench(r.withArgs(r.bench.Args, func() *output.Error { return r.load(c, true, note) }))
		}
	}
	if err := r.execute(c, note); err != nil {
		return err
	}
	funcs, _, failed := r.testFunctions([]testKind{benchmarkKind})
	if failed != nil {
		return failed
	}
	hasOwn := slices.ContainsFunc(funcs[benchmarkKind.prefix], func(d program.Declaration) bool { return d.Cell == r.n })
	switch {
	case !r.bench.Selects && !hasOwn && r.bench.Compares:
		return r.compareBench()
	case !r.bench.Selects && !hasOwn:
		return traceback.New("TestError", "there is nothing to measure: write statements or Benchmark functions below %%bench, or %%bench -bench RE for those of the notebook")
	case len(funcs) == 0:
		return traceback.New("TestError", "there are no benchmarks: declare functions such as func BenchmarkX(b *testing.B)")
	case !r.bench.Selects:
		r.keepOwn(funcs)
	}
	var names []string
	for _, d := range funcs[benchmarkKind.prefix] {
		names = append(names, d.Name)
	}
	code := benchmark.Program(r.bench.report, names)
	return r.showBench(r.withArgs(r.bench.Args, func() *output.Error { return r.runGenerated(code, true, testImports) }))
}

// benchmarkKind is the kind of functions that %%bench runs.
var benchmarkKind = testKinds[1]

// showBench shows the results of benchmarks that have ended, some of them perhaps with an error.
func (r *run) showBench(failed *output.Error) *output.Error {
	text, err := os.ReadFile(r.bench.report)
	if err != nil || failed != nil && failed.Name != "Exit" {
		return failed
	}
	results, rest := benchmark.Parse(text)
	if rest != "" {
		r.print("%s", rest)
	}
	if len(results.Benchmarks) == 0 {
		if failed == nil {
			r.print("no benchmark has a matching name\n")
		}
		return failed
	}
	r.session.benchRuns = append(r.session.benchRuns, results)
	if n := len(r.session.benchRuns); n > 2 {
		r.session.benchRuns = r.session.benchRuns[n-2:]
	}
	if r.bench.Compares && failed == nil {
		return r.compareBench()
	}
	return cmp.Or(failed, r.showTable(results.Table(), nil, results))
}

// compareBench shows the last two runs side by side.
func (r *run) compareBench() *output.Error {
	list := r.session.benchRuns
	if len(list) < 2 {
		return traceback.New("TestError", fmt.Sprintf("-compare needs two runs of %%%%bench, but there are only %d", len(list)))
	}
	t, err := benchmark.Compare(list[0], list[1])
	if err != nil {
		return traceback.New("TestError", err.Error())
	}
	return r.showTable(t, list[0], list[1])
}

// showTable shows a table and a chart.
func (r *run) showTable(t *benchmark.Table, before, after *benchmark.Run) *output.Error {
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": t.String(), "text/html": t.HTML()}})
	source := benchmark.ChartSource(before, after)
	if source == "" {
		return nil
	}
	if err := r.ownCell(source); err != nil {
		var failed *output.Error
		if errors.As(err, &failed) {
			return failed
		}
		return traceback.New("WorkerError", err.Error())
	}
	return nil
}
