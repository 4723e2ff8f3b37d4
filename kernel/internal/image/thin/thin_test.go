package thin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const source = `package box

import (
	"errors"
	alias "strconv"
	"strings"
)

// A Box holds a value.
type Box[T any] struct{ v *T }

func (b *Box[T]) Set(v *T) { b.v = v }

func (b Box[T]) String() string {
	return alias.Itoa(len(strings.Repeat("x", 3)))
}

func New[T any](v *T, _ int) *Box[T] {
	return &Box[T]{v}
}

func Plain() error { return errors.New("plain") }
`

const want = `package box

import (
	"errors"
	_ "strconv"
	_ "strings"
)

// A Box holds a value.
type Box[T any] struct{ v *T }

func (b *Box[T]) Set(v *T) 

func (b Box[T]) String() string 



func New[T any](v *T, _ int) *Box[T] { thinʹleak(thinʹpointer(&v)); panic(0) }



func Plain() error { return errors.New("plain") }
`

func names(path string) string { return path }

func TestSource(t *testing.T) {
	got, err := Source("box.go", []byte(source), names)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if _, err := Source("box.go", []byte("package box\nfunc"), names); err == nil {
		t.Error("a syntax error was accepted")
	}
}

// TestArgumentsEscape compiles a package against a thin one. The compiler must not keep variables on the stack whose addresses
// are passed to functions without bodies, and must not define the methods.
func TestArgumentsEscape(t *testing.T) {
	dir := t.TempDir()
	compile := func(name, text string, args ...string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", append([]string{"tool", "compile", "-importcfg", "importcfg"}, append(args, file)...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	list, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", "errors", "strconv", "strings").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "importcfg"), append(list, "packagefile box=box.a\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	thin, err := Source("box.go", []byte(source), names)
	if err != nil {
		t.Fatal(err)
	}
	declarations := filepath.Join(dir, "declarations.go")
	if err := os.WriteFile(declarations, Declarations("box"), 0o600); err != nil {
		t.Fatal(err)
	}
	compile("box.go", string(thin), "-p", "box", "-o", "box.a", declarations)
	report := compile("user.go", `package user
import "box"
func use() {
	var first, second int
	box.New(&first, 1).Set(&second)
}
`, "-p", "user", "-l", "-m", "-o", "user.o")
	for _, name := range []string{"first", "second"} {
		if !strings.Contains(report, "moved to heap: "+name) {
			t.Errorf("%s is on the stack:\n%s", name, report)
		}
	}
	cmd := exec.Command("go", "tool", "nm", "user.o")
	cmd.Dir = dir
	symbols, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	const method = "box.(*Box[go.shape.int]).Set"
	if s := string(symbols); !strings.Contains(s, "U "+method) || strings.Contains(s, "T "+method) {
		t.Errorf("%s is not a reference:\n%s", method, s)
	}
}
