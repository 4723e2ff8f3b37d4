package session

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// testDirective has tests run after the cell.
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
var errNoFuzzing = errors.New("it cannot generate fuzzing inputs: that needs a test program with coverage counters, which a notebook is not; " +
	"%test and %test -run run Fuzz functions with the inputs of f.Add; to generate inputs, move the functions to a _test.go file and run go test -fuzz")

// testKinds describes the kinds of functions that go test runs.
var testKinds = []struct {
	prefix    string
	signature string
	wanted    string
	list      string // the type that package testing lists them as
}{
	{"Test", "func(*testing.T)", "t *testing.T", "InternalTest"},
	{"Benchmark", "func(*testing.B)", "b *testing.B", "InternalBenchmark"},
	{"Fuzz", "func(*testing.F)", "f *testing.F", "InternalFuzzTarget"},
	{"Example", "func()", "", "InternalExample"},
}

// runTests runs test functions of the notebook in the worker, through package testing.
// They have access to the notebook's variables.
func (r *run) runTests() *output.Error {
	funcs := map[string][]program.Declaration{}
	here, hasMain := false, false
	for _, d := range r.session.program.Load().Declarations() {
		if d.Kind != "func" || d.Aside != "" {
			continue
		}
		if d.Name == "TestMain" && d.Signature == "func(*testing.M)" {
			hasMain = true
			continue
		}
		for _, k := range testKinds {
			switch {
			case !isTestName(d.Name, k.prefix):
			case k.signature != d.Signature:
				return traceback.New("TestError", fmt.Sprintf("wrong signature for %s, must be: func %s(%s)", d.Name, d.Name, k.wanted))
			default:
				funcs[k.prefix] = append(funcs[k.prefix], d)
				here = here || d.Cell == r.n
			}
		}
	}
	if len(funcs) == 0 {
		return traceback.New("TestError", "there are no tests: declare functions such as func TestX(t *testing.T) or func BenchmarkX(b *testing.B)")
	}
	args := r.tests.args
	if len(args) == 0 {
		args = []string{"-test.v"}
		if here { // run only the tests of this cell
			for prefix, list := range funcs {
				funcs[prefix] = slices.DeleteFunc(list, func(d program.Declaration) bool { return d.Cell != r.n })
			}
		}
		if len(funcs["Benchmark"]) > 0 {
			args = append(args, "-test.bench=.")
		}
	}
	code, err := r.testProgram(funcs, hasMain)
	if err != nil {
		return traceback.New("TestError", err.Error())
	}
	c, errs := cell.Parse(0, code)
	if errs != nil {
		return traceback.New("TestError", errs.Error())
	}
	return r.withArgs(args, func() *output.Error {
		defer func() {
			for _, name := range testImports {
				_, _ = r.session.program.Load().Remove(name) // they are not the user's declarations
			}
		}()
		unnumbered := *r
		unnumbered.n = 0
		return unnumbered.load(c, true, func(*program.Unit, *output.Error) {})
	})
}

// withArgs runs f with other command line arguments than the notebook's.
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
		_ = r.session.applySetup(ctx, control.Setup{Args: back}) // fails only if the worker has died, which the next cell reports
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

var testImports = []string{"testingʹt", "testdepsʹt", "osʹt", "reflectʹt"}

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
		return "", false, errors.New("the source of " + d.Name + " is gone")
	}
	for _, decl := range c.Decls {
		if ex := decl.Example; ex != nil && decl.Names[0].Name == d.Name {
			return strconv.Quote(ex.Output) + ", " + strconv.FormatBool(ex.Unordered), ex.Runs, nil
		}
	}
	return "", false, nil
}
