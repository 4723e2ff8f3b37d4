package link

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/image/thin"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Sources of the test of thin references: package box has a thin form, and package user was compiled against its complete form.
const (
	boxSource = `package box

import "errors"

var (
	V     int
	Err   = errors.New("box")
	first = []string{"a literal of box"}
)

type Plain struct{ N int }

func (p *Plain) Add(n int)     { p.N += n }
func (p Plain) String() string { return first[p.N] }

type Stringer interface{ String() string }

func F(s string) int { return len(s) + V }

func Counter() func() int {
	n := V
	return func() int { n++; return n }
}

// Counters has copies of Counter's function literal if Counter is inlined. The numbers of other symbols of the complete form then differ from
// those of a form that is compiled without inlining.
func Counters() (a, b func() int) { return Counter(), Counter() }

type Box[T any] struct{ v *T }

func (b *Box[T]) Set(v *T) { b.v, V = v, len(first) }
func (b *Box[T]) Any() any { return *b.v }

func New[T any](v *T) *Box[T] { return &Box[T]{v} }
`
	userSource = `package user

import "box"

type Wrapper struct {
	box.Plain
	Next func() int
}

func (w *Wrapper) Fill(p *box.Plain) box.Stringer {
	p.Add(box.V)
	return *p
}

func Twice(p *box.Plain) { p.Add(box.F("twice")); p.Add(box.V) }

var Total = &box.V
`
	unitSource = `package main

%s

var (
	plain box.Plain
	wrapper user.Wrapper
	ints = box.New(&plain.N)
	text string
	texts = box.New(&text)
)

func unit(x any) {
	wrapper.Add(box.V)
	plain.Add(box.F("unit"))
	wrapper.Fill(&plain)
	user.Twice(&plain)
	wrapper.Next = box.Counter()
	ints.Set(&plain.N)
	put := ints.Set
	put(user.Total)
	add := (*box.Plain).Add
	add(&plain, 1)
	switch x := x.(type) {
	case box.Stringer:
		println(x.String())
	case *box.Box[int]:
		println(x.Any() == any(plain), any(ints) == any(box.Err))
	}
	texts.Set(&text)
}
`
)

// thinArchives are archives with a thin form of package box.
type thinArchives struct {
	listed
	thin string
}

func (a thinArchives) Thin(path string) (string, error) {
	if path == "box" {
		return a.thin, nil
	}
	return "", nil
}

// boxArchives compiles the packages of the test into dir.
func boxArchives(t *testing.T, dir string) thinArchives {
	t.Helper()
	a := thinArchives{standard(t, "errors"), filepath.Join(dir, "thin.a")}
	compileTo(t, a.listed, filepath.Join(dir, "box.a"), "box", []string{boxSource})
	source, err := thin.Source("box.go", []byte(boxSource), filepath.Base)
	if err != nil {
		t.Fatal(err)
	}
	compileTo(t, a.listed, a.thin, "box", []string{string(source), string(thin.Declarations("box"))}, "-l", "-linkshared")
	a.listed["box"] = filepath.Join(dir, "box.a")
	compileTo(t, a.listed, filepath.Join(dir, "user.a"), "user", []string{userSource})
	a.listed["user"] = filepath.Join(dir, "user.a")
	return a
}

func compileTo(t *testing.T, archives listed, to, path string, sources []string, flags ...string) {
	t.Helper()
	var cfg bytes.Buffer
	for path, file := range archives {
		fmt.Fprintf(&cfg, "packagefile %s=%s\n", path, file)
	}
	importcfg := to + ".importcfg"
	args := slices.Concat([]string{"tool", "compile", "-p", path, "-o", to, "-importcfg", importcfg}, flags)
	files := map[string][]byte{importcfg: cfg.Bytes()}
	for i, s := range sources {
		file := fmt.Sprintf("%s.%d.go", to, i)
		files[file] = []byte(s)
		args = append(args, file)
	}
	for file, text := range files {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
}

// TestThinReferences resolves all references of units that were compiled against a thin package and against a package that was compiled
// against the complete form. The compiler then has some symbols of the package with numbers of the complete form.
func TestThinReferences(t *testing.T) {
	dir := t.TempDir()
	archives := boxArchives(t, dir)
	against := thinArchives{listed: listed{}}
	for path, file := range archives.listed {
		against.listed[path] = file
	}
	against.listed["box"] = archives.thin
	for name, imports := range map[string]string{
		"thin package first": "import \"box\"\nimport \"user\"", "thin package last": "import \"user\"\nimport \"box\"",
	} {
		for _, flags := range [][]string{{"-l"}, nil} {
			t.Run(fmt.Sprint(name, flags), func(t *testing.T) {
				object := filepath.Join(dir, "unit.o")
				compileTo(t, against.listed, object, "main", []string{fmt.Sprintf(unitSource, imports)}, flags...)
				ld := standardLoad(t, inWorker()...)
				ld.archives, ld.thin = archives, map[string][8]byte{}
				objs, err := openArchive("main", object)
				if err != nil {
					t.Fatal(err)
				}
				ld.main.Object, ld.main.addrs = objs[0], map[int]uintptr{}
				checkReferences(t, ld)
			})
		}
	}
}

// workersBox are the symbols of package box that the test's worker has: those of Box[int]. Their addresses are their indices plus one.
var workersBox = []string{
	"box.New[go.shape.int]", "box.(*Box[go.shape.int]).Set", "box.(*Box[go.shape.int]).Any", "box..dict.Box[int]", "box..dict.New[int]",
	"type:box.Box[int]", "type:*box.Box[int]", "box.(*Box[int]).Set", "box.(*Box[int]).Any", "box.New[int]",
}

func inWorker() (list []symindex.Symbol) {
	for i, name := range workersBox {
		text := !strings.HasPrefix(name, "type:") && !strings.HasPrefix(name, "box..dict.")
		list = append(list, symindex.Symbol{Name: name, Text: text, ABI: goobj.ABIInternal, Addr: uint64(i + 1)})
	}
	return list
}

// checkReferences resolves the references of the unit to package box, and its instances of the package's generic code.
func checkReferences(t *testing.T, ld *load) {
	t.Helper()
	o := ld.main
	var seen []string
	numbered := 0
	for ref := range references(o.Object) {
		name := o.RefName(ref)
		if i, ok := o.Index(ref); ok {
			s := o.Sym(i)
			if name = s.Name(); s.Defined() && !s.Kind().IsText() && !symname.IsDictionary(name) {
				continue // data that follows from the name
			}
		} else if ref.Pkg != goobj.PkgBuiltin && o.Package(ref.Pkg) == "box" {
			numbered++
		}
		if strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(name, "type:"), "*"), "box.") {
			seen = append(seen, name)
			got, err := ld.resolve(o, ref)
			checkTarget(t, name, got, err)
		}
	}
	if numbered == 0 {
		t.Error("no reference to package box has a number, so the test tests nothing")
	}
	for _, name := range []string{"box.V", "box.Counter", "box.(*Plain).Add", "type:box.Plain", "box.New[go.shape.int]", "box..dict.Box[int]", "box..dict.Box[string]"} {
		if !slices.Contains(seen, name) {
			t.Errorf("no reference to %s", name)
		}
	}
}

// checkTarget checks what a reference to a symbol of package box was resolved to.
func checkTarget(t *testing.T, name string, got target, err error) {
	t.Helper()
	at := slices.Index(workersBox, name) + 1
	lacking := strings.Contains(name, "string]") || strings.HasSuffix(name, "-fm") || strings.Contains(name, "thin") // the worker does not have them
	switch {
	case lacking:
		if err == nil {
			t.Errorf("%s has no code, but was resolved", name)
		}
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case at > 0:
		if got != (target{addr: uintptr(at)}) {
			t.Errorf("%s is not the worker's: %+v", name, got)
		}
	case got.node == nil || got.node.name != name || got.node.obj.pkg.path != "box":
		t.Errorf("%s: resolved to %+v", name, got.node)
	}
}

// references returns all symbols that an object refers to, in relocations and aux entries.
func references(o *goobj.Object) map[goobj.Ref]bool {
	refs := map[goobj.Ref]bool{}
	for i := range o.NumDef() {
		for _, r := range o.Sym(i).Relocs() {
			refs[r.Sym()] = true
		}
		for _, a := range o.Sym(i).Auxs() {
			refs[a.Sym()] = true
		}
	}
	delete(refs, goobj.Ref{})
	return refs
}
