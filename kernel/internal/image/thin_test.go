package image

import (
	"go/types"
	"iter"
	"slices"
	"strings"
	"testing"
)

// declaredSymbols yields the symbols to which cells may refer by the declarations of instances of package mp.
func declaredSymbols(t *testing.T, mp *types.Package) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, fn := range declaredFunctions() {
			name, err := fn.LinkName()
			if err != nil {
				t.Error(err)
			}
			yield(fn.Path + "." + name)
		}
		for _, in := range declaredInstances() {
			name, err := in.LinkName()
			if err != nil {
				t.Error(err)
				continue
			}
			named, ok := mp.Scope().Lookup(in.Generic).Type().(*types.Named)
			if !ok {
				yield(libraryMP + "." + name)
				continue
			}
			yield("type:" + libraryMP + "." + name)
			yield("type:*" + libraryMP + "." + name)
			for fn := range named.Methods() {
				if fn.Exported() { // cells can name no other
					yield(libraryMP + ".(*" + name + ")." + fn.Name())
				}
			}
		}
	}
}

// TestInstances checks that the worker has the code of instances of package mp as cells call it: shared by all types of the
// same underlying type. The compiler inlines the shortest functions, and then the linker drops them.
func TestInstances(t *testing.T) {
	m := testImage(t)
	archive, err := m.Archive(libraryMP)
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for path, file := range m.archives {
		all = append(all, listed{ImportPath: path, Export: file})
	}
	mp, err := newImporter(all).Import(libraryMP)
	if err != nil {
		t.Fatalf("%s: %v", archive, err)
	}
	short := []string{"Array.Len", "Call.Join", "Call.Kill", "Call.Signal", "Call.Terminate", "Call.base", "Future.Done",
		"JoinableQueue.base", "JoinableQueue.GobDecode", "JoinableQueue.Put", "JoinableQueue.TryPut"}
	shape := func(arg string) string { return "go.shape." + strings.ReplaceAll(arg, "byte", "uint8") }
	for _, it := range instanceTypes {
		named := mp.Scope().Lookup(it.name).Type().(*types.Named)
		for fn := range named.Methods() {
			for _, arg := range it.args {
				symbol := libraryMP + ".(*" + it.name + "[" + shape(arg) + "])." + fn.Name()
				if !m.Has(symbol) && !slices.Contains(short, it.name+"."+fn.Name()) {
					t.Errorf("the worker lacks %s", symbol)
				}
			}
		}
	}
	const f = "[go.shape.float64,go.shape.int,go.shape.func(context.Context, int) (float64, error)]"
	for _, symbol := range []string{
		"NewQueue[go.shape.[]string]", "NewValue[go.shape.bool]", "Add[go.shape.int]", "NewArray[go.shape.float64]", "NewPipe[go.shape.[]uint8]",
		"Map" + f, "Stream" + f, "StreamUnordered" + f, "Submit" + f, "Go" + f, "GoIn" + f,
		"ForEach[go.shape.int,go.shape.func(int)]", "Start[go.shape.struct {},go.shape.func(struct {}) error]",
	} {
		if !m.Has(libraryMP + "." + symbol) {
			t.Errorf("the worker lacks %s.%s", libraryMP, symbol)
		}
	}
	for symbol := range declaredSymbols(t, mp) {
		if !m.Has(symbol) {
			t.Errorf("the worker lacks %s, to which cells refer by a declaration", symbol)
		}
	}
	for instance, want := range map[[2]string]string{
		{libraryMP, "Queue[[]uint8]"}: "Queue___uint8_ʹ", {"slices", "Values[[]int,int]"}: "Values___int_int_ʹ", {libraryMP, "JoinableQueue[int]"}: "", {"iter", "Seq[int]"}: "",
	} {
		in, id, ok := m.Declared(instance[0], instance[1])
		if id != want || ok != (want != "") || ok && in != libraryMP {
			t.Errorf("%v is declared in %q as %q", instance, in, id)
		}
	}
	if m.Has(libraryMP + ".NewQueue[go.shape.uint16]") {
		t.Error("the worker has an instance that nothing refers to")
	}
	for path, want := range map[string]bool{"github.com/perijove/perijove/lib/cluster": true, "github.com/perijove/perijove/lib/display": false, libraryMP: false, "fmt": false} {
		if m.UsesThin(path) != want {
			t.Errorf("package %s was compiled against the complete form of a thin package: %v", path, !want)
		}
	}
	if !m.IsThin(libraryMP) || m.IsThin("fmt") {
		t.Error("other packages than package mp are thin")
	}
}
