package cell

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func kinds(pieces []Piece) string {
	names := map[Kind]string{Trivia: "-", Directive: "%", Package: "package", Import: "import", Func: "func", Type: "type", Const: "const", Var: "var", Statement: "stmt"}
	var out []string
	for _, p := range pieces {
		out = append(out, names[p.Kind])
	}
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"empty", "", ""},
		{"blank", " \n// c\n/* d */\n", "-"},
		{"statements", "x := 1\ny := 2; z := 3\nf()", "stmt stmt stmt stmt"},
		{"mixed", "import \"fmt\"\nx := 1\nfunc f() {}\nvar v int\nconst c = 1\ntype T int\nx", "import stmt func var const type stmt"},
		{"groups", "import (\n\"a\"\n\"b\"\n)\nconst (\na = iota\nb\n)\ntype (\nA int\nB = A\n)", "import const type"},
		{"package", "package main\n\nfunc main() {\n}\n", "package func"},
		{"literal called", "func() {\n}()\nfunc(a int) T { return a }(3)", "stmt stmt"},
		{"literal with generic result", "func(a int) T[int] { return a }(3)\nfunc(a int) (T) { return a }(3)\nfunc (a int) pkg.T { return a }(3)", "stmt stmt stmt"},
		{"methods", "func (t T) m() {}\nfunc (*T) m() {}\nfunc (l *L[K, V]) m(x K) (V, error) {}\nfunc (t T) g[P any](x P) {}", "func func func func"},
		{"generic", "func f[T any, U interface{ ~[]T }](x U) {}\ntype P[K comparable] struct{}", "func type"},
		{"for header", "for i := 0; i < 3; i++ {\n}\nx := 1", "stmt stmt"},
		{"one-line statements", "if x := f(); x { a() }; b()", "stmt stmt"},
		{"literal in header", "if f := func() bool { return true }; f() { a() }\nb", "stmt stmt"},
		{"literal in header, labelled", "L: for f := func() { g() }; ; { f(); break L }; b", "stmt stmt"},
		{"else", "if a {\n} else if b := c(); b {\n} else {\n}\nd", "stmt stmt"},
		{"switch", "switch x := y; z := x.(type) {\ncase int:\n\ta()\n}\nselect {\ncase <-c:\ndefault:\n}", "stmt stmt"},
		{"label", "L:\nfor {\n\tbreak L\n}\nM: x = 1\ngoto M", "stmt stmt stmt"},
		{"strings", "s := `\n!ls\n%x\nfunc f() {\n`\nr := '}'\nt := \"// {\"", "stmt stmt stmt"},
		{"comments", "x := 1 // func {\n/* } */ y := 2 /*\n*/ z := 3", "stmt stmt stmt"},
		{"continued", "a := b.\n\tc().\n\td()\nx := 1 +\n\t2", "stmt stmt"},
		{"directives", "%env A=\"b\n!ls 'x\n  !cat f | \\\n  wc\nx := 1\n\t%list", "% % % stmt %"},
		{"directive after expression", "x := a\n%b", "stmt %"},
		{"operator is no directive", "x := a %\n\tb\ny := f(\n!c,\n%d)", "stmt stmt"},
		{"main part", "func f() {}\n%% -n 3\nf()", "func % stmt"},
		{"measured", "%time x := f()\ny\n  %timeit -n 5 -r2 a; b\nz\n//gonb:%time var v int\n%time", "stmt stmt stmt stmt var %"},
		{"measured over lines", "%time for {\n}\nx\n%timeit f(\n1); g()\ny", "stmt stmt stmt stmt"},
		{"whole cell measured", "%%time\nx\nfunc f() {}", "% stmt func"},
		{"rest benchmarked", "%%bench -count 3\nx := 1\ny", "stmt"},
		{"benchmark functions", "%%bench\nx()\nfunc  BenchmarkX(b *testing.B) {}\nfunc f() {}", "% stmt func func"},
		{"nothing benchmarked", "%%bench -compare\n// a comment", "% -"},
		{"rest repeated", "x := 1\n%%timeit -n 5 y := 2\nx\ny", "stmt stmt"},
		{"not measured", "%times x\n%timeit_x y\nz % time", "% % stmt"},
		{"magic", "%%writefile a.go\npackage a\n%%\nx", "%"},
		{"blocks", "{\n\tx := 1\n}\n{ y() }", "stmt stmt"},
		{"chan", "<-c\nc <- 1\ngo f()\ndefer g()", "stmt stmt stmt stmt"},
		{"struct literal", "p := struct{ a int }{1}\nif (p == struct{ a int }{1}) {\n}", "stmt stmt"},
		{"windows", "x := 1\r\ny := 2\r\n%env\r\nz\r\n", "stmt stmt % stmt"},
		{"bom", "\ufeffx := 1", "stmt"},
		{"semicolons", ";;x := 1;;\n;y", "stmt stmt"},
	}
	for _, tt := range tests {
		pieces, faults := Split(tt.src)
		if got := kinds(pieces); got != tt.want || len(faults) > 0 {
			t.Errorf("%s: got %q, want %q, faults %v", tt.name, got, tt.want, faults)
		}
		if err := covers(tt.src, pieces); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func covers(src string, pieces []Piece) error {
	at := 0
	for _, p := range pieces {
		if p.Start != at || p.Code < p.Start || p.Stop < p.Code || p.End < p.Stop || p.End > len(src) || p.End == p.Start {
			return fmt.Errorf("bad piece %+v at %d of %d", p, at, len(src))
		}
		at = p.End
	}
	if at != len(src) {
		return fmt.Errorf("pieces end at %d of %d", at, len(src))
	}
	return nil
}

func TestFaults(t *testing.T) {
	tests := []struct {
		src, want  string
		incomplete bool
	}{
		{"f(1))", "unexpected )", false},
		{"f(1]", "unexpected ], expected )", false},
		{"}", "unexpected }", false},
		{"func f() {\n\tif x {\n", "missing } for the { at line 2:7", true},
		{"x := `a\nb", "raw string literal not terminated", true},
		{"x /* a", "comment not terminated", true},
		{"x := \"a\ny", "string literal not terminated", false},
		{"x := 'ab'", "illegal rune literal", false},
		{"x := 1 # 2", "illegal character U+0023 '#'", false},
		{"%time func f() {}", "this is not a statement, so its time cannot be measured", false},
		{"%timeit -n 0 x", "-n needs a number from 1 to 2147483647", false},
		{"%timeit -r 1001 x", "-r needs a number from 1 to 1000", false},
		{"%%timeit\nx\nimport \"fmt\"", "this declaration cannot be in a loop: move it to an earlier cell", false},
		{"%%timeit\nx\n%pwd", "a directive cannot be in a loop: move it to another cell", false},
		{"%%timeit x := 1 +\n2", "this statement runs once, before the lines below: it must end on this line", false},
		{"%%bench\nx\nfunc f() {}", "this declaration cannot be in a loop: move it to an earlier cell", false},
		{"%%timeit } {\nx", "unexpected }", false},
		{"%timeit f(", "missing ) for the ( at line 1:10", true},
	}
	for _, tt := range tests {
		pieces, faults := Split(tt.src)
		if len(faults) == 0 || faults[0].Msg != tt.want || faults[0].Incomplete != tt.incomplete {
			t.Errorf("%q: got %+v, want %q", tt.src, faults, tt.want)
		}
		if err := covers(tt.src, pieces); err != nil {
			t.Errorf("%q: %v", tt.src, err)
		}
	}
}

func TestIsComplete(t *testing.T) {
	tests := []struct {
		src    string
		status Status
		indent string
	}{
		{"", Complete, ""},
		{"x := 1", Complete, ""},
		{"func f() {", Incomplete, "\t"},
		{"func f() {\n\tif x {", Incomplete, "\t\t"},
		{"f(func() {\n", Incomplete, "\t"},
		{"f(a,\n\tb,", Incomplete, "\t"},
		{"x := 1 +", Incomplete, "\t"},
		{"x :=", Incomplete, "\t"},
		{"s := `abc", Incomplete, ""},
		{"/* a", Incomplete, ""},
		{"for i := range 3 {\n}", Complete, ""},
		{"x := )", Invalid, ""},
		{"func 3() {}", Invalid, ""},
		{"x y", Invalid, ""},
		{"!ls", Complete, ""},
		{"import", Incomplete, "\t"},
		{"if x", Incomplete, "\t"},
		{"%%writefile x\n{", Complete, ""},
		{"%time f(", Incomplete, "\t"},
		{"%time f()", Complete, ""},
		{"%%timeit x := 1\nfor {", Incomplete, "\t"},
		{"%%timeit\nf(x)", Complete, ""},
	}
	for _, tt := range tests {
		status, indent := IsComplete(tt.src)
		if status != tt.status || indent != tt.indent {
			t.Errorf("%q: got %s %q, want %s %q", tt.src, status, indent, tt.status, tt.indent)
		}
	}
}

func TestRender(t *testing.T) {
	src := "a := 1\n\tb := \"世界\" + c"
	e := errorAt(3, src, strings.Index(src, "+"), "bad")
	want := "Cell [3] line 2:16: bad\n\tb := \"世界\" + c\n\t            ^"
	if got := e.Render(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if es := (Errors{e, e}).Sorted(); len(es) != 1 {
		t.Errorf("a repeated error stays: %v", es)
	}
	later := &Error{Cell: e.Cell, Pos: Pos{e.Pos.Line + 1, 1}}
	if es := (Errors{later, e}); !slices.Equal(es.Sorted(), Errors{e, later}) || es[0] != later {
		t.Errorf("sorted: %v, of %v", es.Sorted(), es)
	}
}

func TestParse(t *testing.T) {
	c, errs := Parse(2, "%env A=b c\nimport r \"math/rand\"\nx, _ := r.Int(), y\nfunc (t *T[P]) m() { z(x) }\n!*go get x\nvar a, b int = 1, 2\nT{k: x};\n%%bash -x\necho")
	if errs != nil {
		t.Fatal(errs)
	}
	if got, want := c.String(), "Cell [2]: 1 imports, 1 declarations, 3 statements, 3 directives"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(c.Directives), "[{{1 1} %env A=b c  false } {{5 1} !* go get x  false } {{8 1} %%bash -x echo true }]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if d := c.Decls[0]; d.Recv != "T" || !d.PtrRecv || !d.Generic || d.Pos != (Pos{4, 1}) {
		t.Errorf("method: %+v", d)
	}
	if !c.HideResult || c.Result != 2 {
		t.Errorf("result %d hidden %v", c.Result, c.HideResult)
	}
	var refs []string
	for _, r := range c.Stmts[2].Refs {
		refs = append(refs, fmt.Sprintf("%s key=%v top=%v", r.Name, r.Key, r.Top))
	}
	if got, want := strings.Join(refs, "; "), "T key=false top=false; k key=true top=false; x key=false top=true"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestImportHint: the error for an import path without quotation marks shows the correct form.
func TestImportHint(t *testing.T) {
	for src, want := range map[string]string{
		"import fmt":                  `import "fmt"`,
		"import github.com/a/b.c\nx":  `import "github.com/a/b.c"`,
		"import r math/rand;":         `import r "math/rand"`,
		"import 'os'":                 `import "os"`,
		"import (\n\t\"os\"\n\tio\n)": `"io"`,
		"import (\n\tr math\n)":       `r "math"`,
		"import":                      `import "fmt"`,
	} {
		_, errs := Parse(1, src)
		if len(errs) == 0 || !strings.HasPrefix(errs[0].Msg, "an import path is a quoted string") || !strings.HasSuffix(errs[0].Msg, " "+want) {
			t.Errorf("%q: %v, want %s", src, errs, want)
		}
	}
	if _, errs := Parse(1, "x := 'ab'"); len(errs) != 1 || !strings.HasPrefix(errs[0].Msg, "single quotation marks") {
		t.Errorf("not an import: %v", errs)
	}
}

func TestMeasured(t *testing.T) {
	c, errs := Parse(1, "%time a, b := f(); c := a\nx\n%timeit -n 5 -r 2 y := 1; g(y)\n%%timeit -n 7 s := h()\n_ = s.m\nfor { s.n() }\nlen(s)")
	if errs != nil {
		t.Fatal(errs)
	}
	var got []string
	for _, s := range c.Stmts {
		text := fmt.Sprintf("%v %v %v", s.Pos, s.Starts, s.Stops)
		if l := s.Loop; l != nil {
			text += fmt.Sprintf(" %d %d %q", l.Loops, l.Runs, s.Text[l.Body:l.End])
			for _, v := range l.Kept {
				text += fmt.Sprintf(" %q call=%v", s.Text[v.Start:v.End], v.Call)
			}
			for _, v := range l.Vars {
				text += " " + v.Name
			}
		}
		got = append(got, text)
	}
	want := []string{
		`{1 7} true false`, `{1 20} false true`, `{2 1} false false`,
		`{3 1} false false 5 2 "y := 1; g(y)\n\n" "g(y)" call=true y`,
		`{4 1} false false 7 0 "_ = s.m\nfor { s.n() }\nlen(s)\n" "_ = s.m" call=false "s.n()" call=true "len(s)" call=true s`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d statements: %q", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("statement %d:\n%s\nwant\n%s", i+1, got[i], want[i])
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"x := 1\n!ls\nfunc f() {}", "`", "/*", "if f := func() {}; a {}\n\x00", "%%a\n", "\ufeff%\ufeff\ufeff;", "L: for ; ; {}; x", "x\r\n'\\", "%time x; y\n%timeit -n 5 a\n", "%%timeit -r 3 x\n_ = y\nL: for { f() }", "%%time\nimport fmt"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		pieces, _ := Split(src)
		if err := covers(src, pieces); err != nil {
			t.Fatal(err)
		}
		if _, errs := Parse(1, src); errs != nil {
			_ = errs.Render()
		}
		IsComplete(src)
	})
}
