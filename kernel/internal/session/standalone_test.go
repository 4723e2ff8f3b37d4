package session

import (
	"context"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// newStandaloneSession returns a session in which each cell runs as a program, as after a
// failed self-check of the image.
func newStandaloneSession(t testing.TB) *Session {
	t.Helper()
	img := *newTestSession(t).cfg.Image
	img.Unfit = "the worker image failed its self-check (a test says so)"
	s, err := New(Config{Image: &img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestStandalone runs each cell as a program.
func TestStandalone(t *testing.T) {
	s := newStandaloneSession(t)
	s.hasExplainedStandalone = true // TestStandaloneExplains
	for _, c := range []struct {
		code string
		want []string
	}{
		{"type point struct{ x, y int }\nfunc (p point) String() string { return fmt.Sprintf(\"(%d|%d)\", p.x, p.y) }\nconst two = 2", nil},
		{"func double(p point) point { return point{two * p.x, two * p.y} }\ndouble(point{1, 2})", []string{"[result text/plain]\n(2|4)\n"}},
		{"x := 5\nfmt.Println(x)", []string{"5"}},
		{"x", []string{"undefined: x (not kept, since each cell runs as a separate program; Cell [3] made it)"}},
		{"import \"github.com/perijove/perijove/lib/display\"\nfmt.Println(\"before\")\ndisplay.Markdown(\"*middle*\")\nfmt.Println(\"after\")",
			[]string{"[stdout]\nbefore\n[display text/markdown]\n*middle*\n[display text/plain]\n*middle*\n[stdout]\nafter\n"}},
		{"var list []int\n\nfmt.Println(double(point{3, 4}))\n_ = list[two]", []string{"(6|8)", "panic: runtime error: index out of range [2] with length 0", "Cell [6] line 4"}},
		{"fmt.Println(\"leaving\")\nos.Exit(3)", []string{"leaving", "exit status 3"}},
		{"os.Exit(0)", []string{""}},
		{"var n = flag.Int(\"n\", 0, \"\")\n%% -n 7 \"c d\"\nfmt.Printf(\"%d %q\", *n, flag.Args())", []string{`7 ["c d"]`}},
		{"%args a \"c d\"\n%env SOLO=yes\nfmt.Printf(\"%q %s\\n\", os.Args[1:], os.Getenv(\"SOLO\"))", []string{`["a" "c d"] yes`}},
		{"func main() { fmt.Println(\"main\", double(point{5, 6})) }", []string{"main (10|12)"}},
		{"go func() { panic(\"elsewhere\") }()\nselect {}", []string{"panic: elsewhere, in the goroutine started at Cell [12] line 1\n", "Cell [12] line 1, in a function literal\n", "started at Cell [12] line 1, in the cell\n"}},
		{"func fails() { panic(\"in a timer\") }\ntime.AfterFunc(0, fails)\nselect {}", []string{"panic: in a timer, in the timer\n", "Cell [13] line 1, in fails\n"}},
		{"context.AfterFunc(ctx, fails)\ninner, cancel := context.WithCancel(ctx)\ncontext.AfterFunc(inner, fails)\ncancel()\nselect {}", []string{"panic: in a timer, in the goroutine started by context.", "Cell [13] line 1, in fails\n"}},
		{"%%writefile embedded.txt\nfrom a file", []string{"embedded.txt"}},
		{"import _ \"embed\"\n\n//go:embed embedded.txt\nvar embedded string\n\nfmt.Println(embedded, ctx.Err())", []string{"from a file <nil>"}},
		{"var problem = errors.New(\"known\")\nfmt.Println(problem)", []string{"known"}},
		{"undefined(7)", []string{"Cell [18] line 1:1: undefined: undefined"}},
		{"import \"github.com/perijove/perijove/lib/mp\"\nfunc say(n int) { fmt.Println(\"child\", n) }\np, err := mp.Start(context.Background(), mp.Processes, say, 7)\nif err != nil { panic(err) }\np.Join(context.Background())", []string{"child 7"}},
		{"var begun = func() int { fmt.Println(\"initialized\", os.Args[1]); return 1 }()", []string{"initialized a"}},
		{"%time len(os.Args)", []string{"Wall time: TIME\n[result text/plain]\n3\n"}},
		{"%timeit -n 1000 -r 2 double(point{1, 2})", []string{"TIME ± TIME per loop (mean ± std. dev. of 2 runs, 1,000 loops each)\nno allocations"}},
		{"'x'", []string{"[result text/plain]\n120 'x'\n"}},
		{"%reset", []string{"is forgotten"}},
		{"double(point{})", []string{"undefined: double"}},
	} {
		got := execute(t, s, c.code)
		mustContain(t, got, c.want...)
		if c.want == nil && got != "" {
			t.Errorf("%s\nprints %q", c.code, got)
		}
	}
}

// TestStandaloneExplains: the first cell prints a notice about the differences and their reason.
func TestStandaloneExplains(t *testing.T) {
	s := newStandaloneSession(t)
	mustContain(t, execute(t, s, "1"), "variables and goroutines end with it", "a test says so")
	if got := execute(t, s, "2"); strings.Contains(got, "end with it") || !strings.Contains(got, "2") {
		t.Errorf("the second cell: %q", got)
	}
}

// TestStandaloneInterrupt ends a program that would run forever.
func TestStandaloneInterrupt(t *testing.T) {
	s := newStandaloneSession(t)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{trigger: "looping", action: func() { go s.Interrupt() }}
	reply := s.Execute(ctx, output.Request{Code: "fmt.Println(\"looping\")\nfor {}", StoreHistory: true}, tr)
	if reply.Error == nil || reply.Error.Name != "Interrupted" {
		t.Fatalf("%+v", reply)
	}
	mustContain(t, execute(t, s, "2 + 2"), "4")
}
