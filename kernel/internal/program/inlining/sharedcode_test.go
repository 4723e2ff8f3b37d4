package inlining

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/perijove/perijove/kernel/internal/image/thin"
)

// A boxWorker is a worker process with the symbols of an instance of package box, which has a thin form, except one.
type boxWorker struct{ lacks string }

var boxSymbols = []string{
	"box.New[go.shape.int]", "box..dict.New[int]", "box.(*Box[go.shape.int]).Set", "box..dict.Box[int]", "type:box.Box[int]", "type:*box.Box[int]",
}

func (w boxWorker) InWorker(symbol string) bool {
	return symbol != w.lacks && slices.Contains(boxSymbols, symbol)
}
func (boxWorker) IsThin(path string) bool { return path == "box" }

// TestSharedCodeOfThinPackage: a unit that is compiled against a thin package must be compiled again if the worker process lacks
// code or a dictionary of an instance that the unit uses.
func TestSharedCodeOfThinPackage(t *testing.T) {
	dir := t.TempDir()
	const box = `package box

type Box[T any] struct{ v *T }

func (b *Box[T]) Set(v *T) { b.v = v }

func New[T any](v *T) *Box[T] { return &Box[T]{v} }
`
	source, err := thin.Source("box.go", []byte(box), filepath.Base)
	if err != nil {
		t.Fatal(err)
	}
	compile := func(path string, sources ...string) {
		t.Helper()
		args := []string{"tool", "compile", "-p", path, "-l", "-importcfg", "importcfg", "-o", path + ".o"}
		for i, s := range sources {
			file := path + string(rune('0'+i)) + ".go"
			if err := os.WriteFile(filepath.Join(dir, file), []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, file)
		}
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "importcfg"), []byte("packagefile box=box.o\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	compile("box", string(source), string(thin.Declarations("box")))
	compile("main", "package main\n\nimport \"box\"\n\nvar n int\n\nfunc unit() { box.New(&n).Set(&n) }\n")
	for _, lacks := range []string{"", "box.New[go.shape.int]", "box..dict.New[int]", "box.(*Box[go.shape.int]).Set", "box..dict.Box[int]"} {
		if got, err := SharedCode(filepath.Join(dir, "main.o"), boxWorker{lacks}); err != nil || got != lacks {
			t.Errorf("the worker process lacks %q: %q, %v", lacks, got, err)
		}
	}
}

// TestThinInstances: the names by which units refer to declared instances are names of instances of the package.
func TestThinInstances(t *testing.T) {
	for name, want := range map[string]bool{
		"box.New[int]": true, "box.(*Box[int]).Set": true, "box.Map[int,int,func(context.Context, int) error]": true,
		"box.Plain": false, "type:box.Box[int]": false, "other.New[int]": false,
	} {
		if got := isThinInstance(name, boxWorker{}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
