package image

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/perijove/perijove"
)

// TestCodeKey checks which changes of a source file change the key: those that change the compiled code.
func TestCodeKey(t *testing.T) {
	const src = `// Package a is documented.
//
//	an example
package a // with a comment

//go:build linux
// +build linux

/* a block
comment */

// F is a function.
//
//go:noinline
func F() string { // it does nothing
	//line other.go:7
	_ = "a // no comment"
	_ = ` + "`\n// no comment\n`" + `
	_ = '"' // and
	return "x" /* in a line */ + "y"
}
// the end`
	tc := Toolchain{Tools: t.TempDir()}
	if err := os.WriteFile(tc.Compile(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	key := func(name, text string) string {
		t.Helper()
		k, err := codeKey(tc, fstest.MapFS{name: {Data: []byte(text)}}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, c := range []struct {
		old, new string
		same     bool
	}{
		{"Package a is documented.", "Package a has better words.", true},
		{"//\tan example", "// no example", true},
		{" is a function.\n//\n", "\n// is a function.\n", true},
		{"// with a comment", "//", true},
		{"// and", "// \"and\" 'or' `", true},
		{"// the end", "//", true},
		{"// it does nothing", "// \u00e9\u4e16", true},
		{" is a function.\n//\n", " is a function.\n", false},
		{"// the end", "\n// the end", false},
		{"noinline", "nosplit", false},
		{"//go:noinline", "// go:noinline", false},
		{"go:build linux", "go:build !linux", false},
		{"+build linux", "+build !linux", false},
		{"line other.go:7", "line other.go:8", false},
		{"a // no", "a // one", false},
		{"// no comment\n`", "// one comment\n`", false},
		{"a block", "another block", false},
		{"/* in a line */", "/* in the line */", false},
		{"func F", "func G", false},
	} {
		changed := strings.Replace(src, c.old, c.new, 1)
		if changed == src {
			t.Fatalf("%q is not in the source", c.old)
		}
		if same := key("a/a.go", changed) == key("a/a.go", src); same != c.same {
			t.Errorf("%q in place of %q: the same key: %v, want %v", c.new, c.old, same, c.same)
		}
	}
	for name, texts := range map[string][2]string{
		"a/a.s":      {"// one", "// two"},
		"a/other.go": {"// #define N 1\nimport \"C\"", "// #define N 2\nimport \"C\""},
		"a/bad.go":   {"package a // one\nvar s = \"", "package a // two\nvar s = \""},
		"go.mod":     {"module a // one", "module a // two"},
	} {
		if key(name, texts[0]) == key(name, texts[1]) {
			t.Errorf("%s: a change of a comment keeps the key", name)
		}
	}
	if key("a/a.go", src) == key("a/b.go", src) {
		t.Error("another name keeps the key")
	}
}

// TestCommentsOfSources removes the comments of this project's sources and checks that nothing else changes.
func TestCommentsOfSources(t *testing.T) {
	files, removed := 0, 0
	err := fs.WalkDir(perijove.Source, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !goesIn(p) || !strings.HasSuffix(p, ".go") {
			return err
		}
		src, err := fs.ReadFile(perijove.Source, p)
		if err != nil {
			return err
		}
		rest := withoutComments(p, src)
		if tokens(t, src) != tokens(t, rest) {
			t.Errorf("%s has other tokens or positions without its comments", p)
		}
		files++
		removed += len(src) - len(rest)
		return nil
	})
	if err != nil || files < 100 || removed < 100_000 {
		t.Errorf("%d bytes of comments in %d files, error %v", removed, files, err)
	}
}

// tokens returns the declarations of a file, each with the lines and columns of its parts, and the file's directives.
func tokens(t *testing.T, src []byte) string {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "a.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, group := range f.Comments {
		for _, c := range group.List {
			if !isProse(c.Text) {
				out.WriteString(files.Position(c.Pos()).String() + c.Text + "\n")
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		case *ast.Ident:
			out.WriteString(n.Name)
		case *ast.BasicLit:
			out.WriteString(n.Value)
		}
		fmt.Fprintf(&out, " %T %v %v\n", n, files.Position(n.Pos()), files.Position(n.End()))
		return true
	})
	return out.String()
}

// TestCommentsAreNotCompiled compiles a package with and without its comments.
func TestCommentsAreNotCompiled(t *testing.T) {
	const src = `package a // a comment

// T is generic.
type T[P any] struct {
	V P // the value
}

// Add may be inlined, and may panic.
func (t T[P]) Add(list []P, i int) P { // here
	// before
	t.V = list[i] // here, too
	return t.V
}

//go:noinline
func Use(i int) int { return T[int]{}.Add([]int{1, 2}, i) } // the end
`
	out := func(text []byte) []byte {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.go"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", "tool", "compile", "-p", "a", "-trimpath", dir, "-o", "a.o", "a.go")
		cmd.Dir = dir
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		b, err := os.ReadFile(filepath.Join(dir, "a.o"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	rest := withoutComments("a.go", []byte(src))
	if bytes.Contains(rest, []byte("// ")) {
		t.Fatalf("comments remain:\n%s", rest)
	}
	if !bytes.Equal(out([]byte(src)), out(rest)) {
		t.Error("the compiled packages differ")
	}
	if bytes.Equal(out([]byte(src)), out([]byte("\n"+src))) {
		t.Error("an object does not depend on line numbers: this test compares nothing")
	}
}

// TestEqualImage checks that an image is used for sources that differ only in comments, until it is removed.
func TestEqualImage(t *testing.T) {
	images := t.TempDir()
	use := func(key, code string) *Image {
		t.Helper()
		m, err := open(t.Context(), images, key, func(dir string) error {
			if linkEqual(dir, code) {
				return nil
			}
			return fakeBuildOf(dir, code)
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := use("k1", "code")
	for range 2 {
		if m := use("k2", "code"); m.Dir != first.Dir {
			t.Errorf("%s was built", m.Dir)
		}
	}
	if m := use("k3", "other"); m.Dir == first.Dir {
		t.Error("an image with other code was used")
	}
	if n := builds(t, images); n != 2 {
		t.Errorf("%d builds, want 2", n)
	}
	if err := os.Remove(filepath.Join(first.Dir, "worker")); err != nil {
		t.Fatal(err)
	}
	if m := use("k2", "code"); filepath.Base(m.Dir) != "k2" || m.Check() != nil {
		t.Errorf("in place of a damaged image: %s, error %v", m.Dir, m.Check())
	}
	use("k4", "other")
	if err := os.RemoveAll(filepath.Join(images, "k3")); err != nil {
		t.Fatal(err)
	}
	trim(images)
	if _, err := os.Lstat(filepath.Join(images, "k4")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link to a removed image remains: %v", err)
	}
	if m := use("k4", "other"); filepath.Base(m.Dir) != "k4" {
		t.Errorf("got %s", m.Dir)
	}
}
