package reducedexports

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// compile compiles a unit without inlining and returns the part of the object for the linker, without the fingerprint of the unit's own
// export data.
func compile(t *testing.T, std *programtest.Std, importcfg, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	file, object := filepath.Join(dir, "unit.go"), filepath.Join(dir, "unit.o")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(std.Compile, "-o", object, "-p", "main", "-importcfg", importcfg, "-dwarf=false", "-l=1", "-trimpath", dir+"=>", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, source)
	}
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	const magic, fingerprint = "\x00go120ld", 8
	_, b, ok := bytes.Cut(b, []byte(magic))
	if !ok {
		t.Fatal("the object has no part for the linker")
	}
	return b[fingerprint:]
}

// names returns the result of NamesOf for a source, and the imports of the source.
func names(t *testing.T, std *programtest.Std, source string) (Names, []string) {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "unit.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imports(files, std)}
	pkg, err := conf.Check("main", files, []*ast.File{f}, info)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	var paths []string
	for _, im := range f.Imports {
		paths = append(paths, strings.Trim(im.Path.Value, `"`))
	}
	return NamesOf(info, pkg), paths
}

func imports(files *token.FileSet, std *programtest.Std) types.Importer {
	return importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		file, err := std.Archive(path)
		if err != nil {
			return nil, err
		}
		return os.Open(file)
	})
}

// checkSame checks that a unit has the same object with the original packages and with the copies.
func checkSame(t *testing.T, std *programtest.Std, c *Copies, source string) {
	t.Helper()
	original, err := std.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	used, paths := names(t, std, source)
	if err := c.Write(original, paths, used); err != nil {
		t.Fatal(err)
	}
	reduced, err := c.Importcfg(original)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compile(t, std, original, source), compile(t, std, reduced, source)) {
		t.Errorf("the objects differ for\n%s", source)
	}
}

func TestSameObject(t *testing.T) {
	std := programtest.NewStd(t)
	c := New(t.TempDir())
	for _, source := range []string{
		"import \"fmt\"\nfunc f() { fmt.Println(1) }",
		"import (\"fmt\"; \"os\")\nfunc f() { fmt.Fprintln(os.Stderr, 1) }",
		"import . \"strings\"\nfunc f() { var b Builder; b.WriteString(ToUpper(\"x\")); println(b.Len()) }",
		"import _ \"image/png\"\nfunc f() {}",
		"import \"os\"\nfunc f() { i, err := os.Stat(\"x\"); if err != nil { panic(err) }; m := i.Mode(); println(m.Perm(), i.ModTime().Location().String()) }",
		"import (\"net/http\"; \"time\")\nvar c = http.Client{Timeout: time.Second}\nfunc f() { r, _ := c.Get(\"x\"); defer r.Body.Close(); println(r.Header.Get(\"x\"), r.TLS.ServerName) }",
		"import \"errors\"\ntype e struct{ error }\nfunc f() { var t e; println(errors.As(nil, &t), errors.ErrUnsupported) }",
		"import (\"slices\"; \"maps\")\nfunc f(m map[string]int) { for i, k := range slices.Sorted(maps.Keys(m)) { println(i, k) } }",
		"import (\"sync/atomic\"; \"context\")\nvar p atomic.Pointer[context.Context]\nfunc f(ctx context.Context) { p.Store(&ctx); <-(*p.Load()).Done() }",
		"import \"reflect\"\ntype t struct{ reflect.Type }\nfunc f() { var x any = t{reflect.TypeFor[map[string]reflect.Value]()}; println(x.(reflect.Type).Elem().Kind().String()) }",
	} {
		checkSame(t, std, c, "package main\n"+source+"\n")
	}
}

// TestSameObjectOfRandomUnits uses a random object of each of many packages.
func TestSameObjectOfRandomUnits(t *testing.T) {
	std := programtest.NewStd(t)
	packages := []string{"archive/zip", "bufio", "bytes", "compress/gzip", "container/heap", "context", "crypto/tls", "database/sql", "debug/elf", "encoding/json", "encoding/xml",
		"errors", "expvar", "flag", "fmt", "go/ast", "go/types", "html/template", "image", "io", "io/fs", "iter", "log/slog", "math/big", "math/rand/v2", "mime/multipart", "net", "net/http",
		"net/netip", "os", "os/exec", "reflect", "regexp", "runtime", "sort", "strconv", "strings", "sync", "syscall", "testing", "text/template", "time", "unicode"}
	from := imports(token.NewFileSet(), std)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		var heads, bodies []string
		for _, path := range packages {
			pkg, err := from.Import(path)
			if err != nil {
				t.Fatal(err)
			}
			if use := randomUse(pkg, rnd); use != "" {
				alias := fmt.Sprintf("p%d", len(heads))
				heads = append(heads, fmt.Sprintf("import %s %q", alias, path))
				bodies = append(bodies, fmt.Sprintf(use, alias))
			}
		}
		if len(heads) < 40 {
			t.Fatalf("only %d packages have objects", len(heads))
		}
		source := "package main\n" + strings.Join(heads, "\n") + "\nvar (\n" + strings.Join(bodies, "\n") + "\n)\n"
		checkSame(t, std, New(t.TempDir()), source)
	}
}

// randomUse returns a declaration of a variable that uses a random exported object of a package, with %s for the package's name.
func randomUse(pkg *types.Package, rnd *rand.Rand) string {
	all := pkg.Scope().Names()
	for _, i := range rnd.Perm(len(all)) {
		obj := pkg.Scope().Lookup(all[i])
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.TypeName:
			if named, ok := obj.Type().(*types.Named); ok && named.TypeParams().Len() == 0 && !hasConstraint(named) {
				return "_ any = new(%s." + obj.Name() + ")"
			}
		case *types.Func:
			if obj.Signature().TypeParams().Len() == 0 {
				return "_ any = %s." + obj.Name()
			}
		case *types.Var:
			return "_ any = &%s." + obj.Name()
		}
	}
	return ""
}

// hasConstraint reports whether a type can only be a constraint.
func hasConstraint(t *types.Named) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && !i.IsMethodSet()
}

// TestCopiesGrow checks that a copy keeps the names of earlier units, that a process can still read the copy that is replaced, and that nothing
// is written for a unit without new names.
func TestCopiesGrow(t *testing.T) {
	std := programtest.NewStd(t)
	dir := t.TempDir()
	c := New(dir)
	original, _ := std.Importcfg(nil)
	write := func(name string) os.FileInfo {
		t.Helper()
		if err := c.Write(original, []string{"fmt"}, Names{"fmt": {name}}); err != nil {
			t.Fatal(err)
		}
		archive, err := std.Archive("fmt")
		if err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(c.packages[archive].file)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	first := write("Println")
	if second := write("Println"); !os.SameFile(first, second) {
		t.Error("a copy was written again for the same name")
	}
	if third := write("Sprint"); os.SameFile(first, third) {
		t.Error("a copy was changed in place")
	}
	checkSame(t, std, c, "package main\nimport \"fmt\"\nfunc f() { fmt.Println(fmt.Sprint(1)) }\n")
	if left, _ := filepath.Glob(filepath.Join(dir, "*.next")); len(left) > 0 {
		t.Error("left files:", left)
	}
	if err := c.Write(original, []string{"no/such"}, nil); err == nil || !strings.Contains(err.Error(), "no/such") {
		t.Errorf("a package that the importcfg lacks: %v", err)
	}
}

// TestReduceDamaged checks that reduce never panics, and does not change data that it refuses.
func TestReduceDamaged(t *testing.T) {
	archive, err := programtest.NewStd(t).Archive("errors")
	if err != nil {
		t.Fatal(err)
	}
	_, data, err := readMember(archive)
	if err != nil {
		t.Fatal(err)
	}
	keep := map[string]bool{"New": true}
	whole := slices.Clone(data)
	if !reduce(whole, keep) || bytes.Equal(whole, data) || len(whole) != len(data) {
		t.Fatal("the format of this toolchain is not known")
	}
	if !bytes.Equal(whole[len(whole)-fingerprintSize:], data[len(data)-fingerprintSize:]) {
		t.Error("the fingerprint has changed")
	}
	for n := range data {
		cut := slices.Clone(data[:n])
		if reduce(cut, keep) {
			t.Fatalf("the first %d of %d bytes were taken for the whole", n, len(data))
		}
		if !bytes.Equal(cut, data[:n]) {
			t.Fatalf("%d bytes were changed", n)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		bad := slices.Clone(data)
		for range 1 + rnd.IntN(4) {
			bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
		}
		before := slices.Clone(bad)
		if !reduce(bad, keep) && !bytes.Equal(bad, before) {
			t.Fatal("refused data was changed")
		}
	}
}
