package program

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// source builds and commits a cell and returns the generated code of its statements.
func source(t *testing.T, p *Program, n int, src string) string {
	t.Helper()
	u, err := buildText(context.Background(), p, n, src)
	if err != nil {
		t.Fatal(err)
	}
	p.Commit(u)
	dir := strings.TrimSuffix(u.Object, ".o")
	files, err := filepath.Glob(filepath.Join(dir, "cell*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no sources", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// The compiler must not remove computations of a loop: generated code uses every value
// and variable that the user's code does not use.
func TestRepeatedKeeps(t *testing.T) {
	p := newProgram(t)
	source(t, p, 1, "x := 2.5\nfunc pair() (int, error) { return 1, nil }\nfunc none() {}")
	for _, test := range []struct {
		name, src string
		want      []string // texts in the generated function, in this order
		not       string
	}{
		{"a value", "%timeit x*x", []string{"KeepAlive(", "x*x)"}, ":="},
		{"a call", "%timeit math.Sqrt(x)", []string{"KeepAlive(", "Sqrt(x))"}, ""},
		{"two results", "%timeit pair()", []string{"kʹ0_0, kʹ0_1 := ", "pair()", "KeepAlive(kʹ0_0)", "KeepAlive(kʹ0_1)"}, ""},
		{"no result", "%timeit none()", []string{"none()", "}}"}, "KeepAlive"},
		{"a blank", "%timeit _ = x+1", []string{"KeepAlive(", "x+1)"}, "_ ="},
		{"nested", "%%timeit\nfor range 3 {\n\tif x > 0 { math.Cos(x) } else { len(\"abc\") }\n}", []string{"KeepAlive(", "Cos(x))", "KeepAlive(", `len("abc"))`}, ""},
		{"variables", "%%timeit sum := 0.0\ny := x\nsum += y\nz, w := 1, [99]int{}", []string{"sum := 0.0", "for nʹ := ", "y := ", "KeepAlive(sum)", "KeepAlive(y)", "KeepAlive(z)", "KeepAlive(&w)", "}}"}, ""},
		{"the notebook's", "%timeit x = 3", []string{"x = 3", "}}"}, "KeepAlive"},
		{"defers", "%%timeit\ndefer none()\nfor range 3 {}", []string{"func() {", "for neverʹ", "defer none()", "}() }}"}, ""},
		{"a defer of the cell", "defer none()\n%timeit -n 5 x++", []string{"for neverʹ", "defer none()", "repeatʹ(5, 0)"}, ""},
		{"jumps", "%%timeit\ni := 0\nagain:\ni++\npair()\nlen(\"abc\")\nif i < 3 { goto again }", []string{"i := 0", "pair()\n", "KeepAlive(", `len("abc"))`, "KeepAlive(i)"}, "kʹ"},
	} {
		text := source(t, p, 2, test.src)
		_, text, ok := strings.Cut(text, "func cellʹ2() {")
		text, _, _ = strings.Cut(text, "\n//go:linkname")
		rest := text
		for _, w := range test.want {
			var found bool
			_, rest, found = strings.Cut(rest, w)
			ok = ok && found
		}
		_, loop, _ := strings.Cut(text, "for range nʹ")
		if !ok || test.not != "" && strings.Contains(loop, test.not) {
			t.Errorf("%s: want %q in their order, and no %q\n%s", test.name, test.want, test.not, text)
		}
	}
}
