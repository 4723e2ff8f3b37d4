package program

import (
	"os"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/program/inlining"
)

// TestInlining: only cells that gain nothing from inlining are compiled without it. Each of these cells calls
// fmt.Println, which the compiler replaces by a call of fmt.Fprintln where it inlines.
func TestInlining(t *testing.T) {
	const hello, inlined = "fmt.Println", "fmt.Fprintln"
	cells := []struct{ code, want string }{
		{`fmt.Println("hi")`, hello},
		{`for i := range 3 { fmt.Println(i) }`, inlined},
		{`list := []string{"b", "a"}; slices.SortFunc(list, func(a, b string) int { return strings.Compare(a, b) }); fmt.Println(list)`, inlined},
		{`fmt.Println(list, len(list))`, hello},
		{`slices.SortFunc(list, strings.Compare); fmt.Println(list)`, inlined},
		{"type point struct{ x, y int }\nfunc (p point) String() string { return fmt.Sprint(p.x) }\nfmt.Println(point{1, 2})", inlined},
		{`fmt.Println(point{1, 2})`, hello}, // the unit has a wrapper of the method, but not the method's body
		{`norm := point{1, 2}.String; fmt.Println(norm())`, inlined},
		{"func greet() { fmt.Println(1) }", inlined},
		{"greet(); fmt.Println(2)", hello},
		// The objects of these cells define methods of an atomic.Pointer that nothing refers to.
		{`file, err := os.Open("x"); fmt.Println(file, err)`, hello},
		{`import "net/http"` + "\n" + `fmt.Println(http.Server{})`, hello},
		// This object defines methods of an atomic.Pointer that the descriptor of the cell's type refers to, so the
		// worker process loads them.
		{"type logger log.Logger\nfmt.Println(&logger{})", inlined},
		{"%%time\nfmt.Println(1)", hello},
		{"%timeit fmt.Println(1)", inlined},
		{"var cache = fmt.Sprint(1)\nfunc init() { fmt.Println(cache) }", hello},
	}
	p, all := newProgram(t), newProgram(t, func(cfg *Config) { cfg.AlwaysInline = true })
	for i, c := range cells {
		for q, want := range map[*Program]string{p: c.want, all: inlined} {
			u, err := buildText(t.Context(), q, i+1, c.code)
			if err != nil {
				t.Fatalf("%s: %v", c.code, err)
			}
			q.Commit(u)
			called := references(t, u.Object)
			if !called[want] || called[hello] == called[inlined] {
				t.Errorf("%s (always %v): no call of %s", c.code, q == all, want)
			}
			if shared, err := inlining.SharedCode(u.Object, inlining.WorkerOf(nil)); want == hello && (shared != "" || err != nil) {
				t.Errorf("%s: compiled without inlining, it gives the worker %s: %v", c.code, shared, err)
			}
		}
	}
}

// references returns the symbols of other packages to which an object refers.
func references(t *testing.T, object string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	list, err := goobj.ParseArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, o := range list {
		for i := range o.NumDef() {
			for _, r := range o.Sym(i).Relocs() {
				names[o.RefName(r.Sym())] = true
			}
		}
	}
	return names
}
