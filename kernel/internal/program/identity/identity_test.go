package identity

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/perijove/perijove/lib/mp/mpsource"
)

// tableOf returns the Table of a file.
func tableOf(t *testing.T, src string) *mpsource.Table {
	t.Helper()
	list, err := OfFile("package main\n\n"+src, map[string]string{"strings": "strings", "fmt": "fmt"})
	if err != nil {
		t.Fatal(err)
	}
	return mpsource.NewTable(mpsource.Program{Declarations: Packages(list, func(path string) (string, error) { return path, nil })})
}

const program = `import "strings"

type order struct {
	n    int
	text string
}

func (o order) total() float64 { return rate * float64(o.n) }

const (
	small = iota
	large
)

var rate, other = 1.5, 2

func price(o order) float64 {
	if o.n < large {
		return 0
	}
	_ = order{n: 1}
	_ = strings.ToUpper(o.text)
	return o.total()
}

func unrelated() int { return other }
`

// TestSameFunction: changes that do not affect the meaning of a function do not change its hash.
func TestSameFunction(t *testing.T) {
	want := tableOf(t, program).Function("price")
	for name, change := range map[string][2]string{
		"nothing":                              {"", ""},
		"comments":                             {"func price(", "// price says what it costs.\nfunc /* a */ price("},
		"layout":                               {"{\n\tif o.n < large {\n\t\treturn 0\n\t}", "{ if o.n < large { return 0 }\n"},
		"parentheses":                          {"o.n < large", "(o.n) < (large)"},
		"the name of an import":                {`import "strings"`, `import strings "strings"`},
		"a declaration that it does not reach": {"return other", "return other + 1"},
		"a variable that it does not reach":    {"1.5, 2", "1.5, 3"},
		"the order":                            {"var rate, other = 1.5, 2\n", ""},
		"a declared field's name":              {"func unrelated", "var n, text int\n\nfunc unrelated"},
	} {
		src := strings.Replace(program, change[0], change[1], 1)
		if name == "the order" {
			src += "var rate, other = 1.5, 2\n"
		}
		got := tableOf(t, src)
		if f := got.Function("price"); f.Hash != want.Hash || f.Hash == (mpsource.Hash{}) {
			t.Errorf("%s: the hash is %v, not %v: %s", name, f.Hash, want.Hash, want.Difference(got))
		}
	}
	src := strings.Replace(strings.Replace(program, `"strings"`, `st "strings"`, 1), "strings.ToUpper", "st.ToUpper", 1)
	if f := tableOf(t, src).Function("price"); f.Hash != want.Hash {
		t.Error("another name of the package in both places: the hash differs")
	}
	src = strings.Replace(strings.Replace(program, `"strings"`, `. "strings"`, 1), "strings.ToUpper", "ToUpper", 1)
	if _, err := OfFile("package main\n\n"+src, nil); err == nil {
		t.Error("a file with a dot import has hashes")
	}
}

// TestOtherFunction: a change of a declaration that a function uses, directly or through others, is found and named.
func TestOtherFunction(t *testing.T) {
	f := tableOf(t, program).Function("price")
	for _, c := range []struct{ old, now, want string }{
		{"return 0", "return 1", "the function price differs in that program"},
		{"o.n < large", "o.n <= large", "the function price differs in that program"},
		{"strings.ToUpper", "strings.ToLower", "the function price differs in that program"},
		{`"strings"`, `strings "fmt"`, "the function price differs in that program"},
		{"text string", "text []byte", "the type order, which price uses, differs in that program"},
		{"rate * float64", "rate + float64", "the function order.total, which order uses, differs in that program"},
		{"1.5, 2", "1.25, 2", "the variable rate, which order.total uses, differs in that program"},
		{"small = iota", "small = iota + 1", "the constant large, which price uses, differs in that program"},
		{"func price(", "func cost(", "it does not have the function price"},
		{"func (o order) total", "func (o *order) total", "the function order.total, which order uses, differs in that program"},
	} {
		other := tableOf(t, strings.Replace(program, c.old, c.now, 1))
		if got := f.Difference(other); got != c.want {
			t.Errorf("%q for %q: %q, want %q", c.now, c.old, got, c.want)
		}
		if other.Offers(f) {
			t.Errorf("%q for %q: the function counts as the same", c.now, c.old)
		}
	}
}

// TestTrees: different syntax trees with the same nodes in the same order have different hashes.
func TestTrees(t *testing.T) {
	seen := map[mpsource.Hash]string{}
	for _, body := range []string{
		"for i++; i < 3; { }", "for ; i < 3; i++ { }", "_ = s[:i]", "_ = s[i:]", "_ = s[i]", "var a int; _ = a", "var a = i; _ = a", "i = i", "i := i; _ = i",
		"i++", "i--", "g(s...)", "g(i)", "_ = i + i", "_ = i - i", "_ = -i", "type t int", "type t = int", "func(a, b int) {}(1, 2)", "_ = func(a int, b string) {}",
		"for range s { }", "for i = range s { }", "for i := range s { _ = i }", "go g(i)", "defer g(i)", "if i > 0 { } else { g(i) }", "if i > 0 { g(i) }", "_ = (chan<- int)(nil)", "_ = (<-chan int)(nil)",
	} {
		f := tableOf(t, "var i, s = 0, []int{1}\n\nfunc g(x ...int) {}\n\nfunc f() {\n"+body+"\n}\n").Function("f")
		if other, ok := seen[f.Hash]; ok || f.Hash == (mpsource.Hash{}) {
			t.Errorf("%q has the hash of %q", body, other)
		}
		seen[f.Hash] = body
	}
}

func TestUnknown(t *testing.T) {
	table := tableOf(t, "import _ \"embed\"\n\n//go:embed a.txt\nvar text string\n\nfunc f() string { return text }\n")
	f := table.Function("f")
	if f.Hash != (mpsource.Hash{}) || f.Difference(table) != "the variable text, which f uses, has the content of a file" {
		t.Errorf("hash %v, difference %q", f.Hash, f.Difference(table))
	}
}

// TestLibrary: the hash of the library covers its sources, and not its tests.
func TestLibrary(t *testing.T) {
	files := fstest.MapFS{
		"go.mod": {Data: []byte("module m\n")}, "lib/a/a.go": {Data: []byte("package a\n")}, "lib/a/a_test.go": {Data: []byte("package a\n")},
		"kernel/k.go": {Data: []byte("package k\n")}, "lib/a/testdata/b.go": {Data: []byte("package b\n")},
	}
	want, err := Library(files)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for name := range files {
		old := files[name]
		files[name] = &fstest.MapFile{Data: append(slices.Clone(old.Data), "// changed\n"...)}
		if got, err := Library(files); err != nil || got != want {
			changes = append(changes, name)
		}
		files[name] = old
	}
	slices.Sort(changes)
	if !slices.Equal(changes, []string{"go.mod", "lib/a/a.go"}) {
		t.Errorf("the hash depends on %q", changes)
	}
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.go", []byte("package a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := `{"ImportPath": "fmt", "Standard": true}
		{"ImportPath": "example.com/b", "Module": {"Path": "example.com/b", "Version": "v1.0.0"}}
		{"ImportPath": "example.com/a", "Dir": "` + dir + `", "GoFiles": ["a.go"], "Module": {"Path": "example.com/a", "Main": true}}`
	first, err := Version([]byte(list))
	if err != nil || !strings.Contains(first, "example.com/b@v1.0.0") {
		t.Fatalf("version %q, error %v", first, err)
	}
	if err := os.WriteFile(dir+"/a.go", []byte("package a\n\nconst C = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if second, err := Version([]byte(list)); err != nil || second == first {
		t.Errorf("the version of a changed package is %q, as before; error %v", second, err)
	}
	if _, err := Version([]byte(`{"ImportPath": "example.com/b"}`)); err == nil {
		t.Error("a package without a module has a version")
	}
}
