package session

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

func newTestSession(t testing.TB) *Session {
	t.Helper()
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Image: img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.ensureWorker(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestComplete(t *testing.T) {
	s := newTestSession(t)
	reply := s.Execute(t.Context(), output.Request{Code: "type Point struct{ X, Y int }\nfunc (p *Point) Norm() int { return p.X }\nvar pt Point", StoreHistory: true}, sinks.Discard{})
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	for _, test := range []struct {
		code string // | marks the cursor
		want string
	}{
		{"strings.HasPref|", "HasPrefix"},
		{"len(os.Ar|", "Args"},
		{"pt.N|", "Norm"},
		{"for {\n\tpt.X|", "X"},
		{"func f(p Point) {\n\tlocal := p\n\tloc|\n}", "local"},
		{"x := \"😀\"; strings.ToUp|", "ToUpper"},
		{"p|", "pt"},
		{"%wri|", ""},
		{"http.Get(\"htt|", ""},
		{"fmt.Println(\"a\", strings.ToUp|\n\"b", "ToUpper"},
		{"%hel|", "%help"},
		{"%timei|", "%timeit"},
		{"%time strings.HasPref|", "HasPrefix"},
		{"%timeit -n 5 pt.N|", "Norm"},
		{"%%timeit here := 1\nhe|", "here"},
		{"var b bytes.Buffer\nb.WriteStr|", "WriteString"},
		{"if pt.|", "Norm"},
		{"defer pt.N|", "Norm"},
		{"switch pt.|", "X"},
		{"for {\n\tswitch 1 {\n\tcase pt.|", "X"},
		{"if pt.|\n\tfmt.Println()\n}", "X"},
		{"go func() {\n\tpt.|", "Norm"},
		{"Point{|", "X"},
		{"Point{|}", "Y"},
		{"Point{Y|", "Y"},
		{"Point{X: 1, |", "Y"},
		{"Point{X: pt.|", "Norm"},
		{"list := []*Point{{X: 1}, {|", "X"},
		{"fmt.Println(Point{X: 1, |})", "Y"},
		{"Point{X: 1, X|", ""},
		{"Point.N|", "Norm"},
		{"Point.|", "Norm"},
		{"Poi|", "Point"},
		{"Point.No|", "Norm"},
		{"import \"net/h|", "net/http"},
		{"import (\n\t\"fmt\"\n\tstr \"stri|\"\n)", "strings"},
		{"import \"gonum.org/v1/pl|", "gonum.org/v1/plot"},
		{"import \"internal/|", ""},
		{"s := \"net/h|", ""},
		{"plotst|", "plotstyle"},
		{"plotstyle.Col|", "Colors"},
		{"plotstyle := 1\nplotstyle.|", ""},
	} {
		code := strings.Replace(test.code, "|", "", 1)
		got, err := s.Complete(context.Background(), code, strings.Index(test.code, "|"))
		if err != nil {
			t.Fatal(err)
		}
		has := slices.ContainsFunc(got.Matches, func(m output.Match) bool { return m.Text == test.want })
		if test.want != "" && !has || test.want == "" && len(got.Matches) > 0 {
			t.Errorf("%q: %v, want %q", test.code, got.Matches, test.want)
		}
	}
}

func TestInspect(t *testing.T) {
	s := newTestSession(t)
	for _, test := range []struct{ code, want string }{
		{"strings.HasPref|ix(\"a\", \"b\")", "reports whether the string s begins with prefix"},
		{"x := 1\nx|", "var x int"},
		{"fmt.Print|ln()", "func fmt.Println(a ...any) (n int, err error)"},
		{"str|ings.ToUpper(\"\")", "simple functions to manipulate UTF-8"},
		{"strings|", "simple functions to manipulate UTF-8"},
		{"strings.Cut(|", "func strings.Cut("},
		{"strings.Cut(|)", "func strings.Cut("},
		{"strings.Cut(\"a, (\", |", "func strings.Cut("},
		{"fmt.Println(strings.Repeat(|))", "func strings.Repeat("},
		{"fmt.Println(strings.Repeat(\"\", 1), |)", "func fmt.Println("},
		{"slices.Max[[]int](|", "func slices.Max["},
		{"fmt.Println([]int{1, |", "func fmt.Println("},
		{"if strings.Contains(|", "func strings.Contains("},
		{"x := 1\nfmt.Println(|x)", "var x int"},
		{"http.Get(\"|", "func http.Get("},
		{"http.Get(\"|)", "func http.Get("},
		{"http.Get(\"https://exam|ple", "func http.Get("},
		{"fmt.Println(`|", "func fmt.Println("},
		{"fmt.Println(1, \"(a\", \"[b|\n}", "func fmt.Println("},
		{"if strings.Contains(\"a|", "func strings.Contains("},
		{"sync.Mutex.Lo|ck", "func (*sync.Mutex).Lock()"},
		{"len|", "The len built-in function returns the length"},
		{"make(|", "allocates and initializes"},
		{"err|or", "conventional interface"},
		{"import \"github.com/perijove/perijove/lib/must\"\nmust.Do|()", "Do panics with the first of errs that is not nil."},
		{"import \"github.com/perijove/perijove/lib/mp\"\nmp.NewPool(|", "NewPool "},
		{"import \"github.com/perijove/perijove/lib/mp\"\nvar q *mp.Queue[int]\nq.P|ut()", "Put "},
		{"import \"github.com/perijove/perijove/lib/mp\"\nm|p.Cores()", "Package mp "},
		{"import \"gonum.org/v1/plot\"\nplot.Ne|w()", "New returns a new plot"},
	} {
		code := strings.Replace(test.code, "|", "", 1)
		got, err := s.Inspect(context.Background(), code, strings.Index(test.code, "|"), 0)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := got.Data["text/plain"].(string)
		if !got.Found || !strings.Contains(text, test.want) {
			t.Errorf("%q: %q, want %q", test.code, text, test.want)
		}
	}
}

func TestInspectKnowsNothingOf(t *testing.T) {
	s := newTestSession(t)
	for _, code := range []string{"", "  |", "missing|", "missing(|", "http.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) {\n\t|", "(|", "x.strings|", "for|"} {
		at := max(strings.Index(code, "|"), 0)
		got, err := s.Inspect(context.Background(), strings.Replace(code, "|", "", 1), at, 0)
		if err != nil || got.Found {
			t.Errorf("%q: %v, %v", code, got, err)
		}
	}
}

// noProgress is a ProgressDelay that prevents progress lines. Otherwise they would appear only on a busy machine.
const noProgress = 24 * time.Hour
