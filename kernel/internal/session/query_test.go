package session

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
)

func newTestSession(t testing.TB) *Session {
	t.Helper()
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Image: img, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestComplete(t *testing.T) {
	s := newTestSession(t)
	reply := s.Execute(t.Context(), output.Request{Code: "type Point struct{ X, Y int }\nfunc (p *Point) Norm() int { return p.X }\nvar pt Point", StoreHistory: true}, quiet{})
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	for _, test := range []struct {
		code string // | is the cursor
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
		{"%hel|", "%help"},
		{"%timei|", "%timeit"},
		{"%time strings.HasPref|", "HasPrefix"},
		{"%timeit -n 5 pt.N|", "Norm"},
		{"%%timeit here := 1\nhe|", "here"},
		{"var b bytes.Buffer\nb.WriteStr|", "WriteString"},
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
