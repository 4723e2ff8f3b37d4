package goobj

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source makes the compiler write the kinds of symbols that a cell's object has: functions with and without frames,
// inlined calls, types with methods, interface tables, generics, variables.
const source = `package p

import "unsafe"

type Shape interface{ Area() float64 }
type Square struct{ Side float64; Next *Square; Tags map[string]int }

func (s *Square) Area() float64 { return double(s.Side) * s.Side / 2 }

func double(x float64) float64 { return x * 2 }

func Max[T int | string](a, b T) T { if a > b { return a }; return b }

var Shapes = []Shape{&Square{Side: 2}}
var Count int
var Name = "a name"
var Pointer unsafe.Pointer

func Use(n int) (total float64) {
	defer func() { Count++ }()
	for i := range n { total += Shapes[i].Area() }
	println(Max(n, 3), Max("a", Name))
	return total
}
`

// compile returns the archive that the toolchain's compiler writes for src.
func compile(t testing.TB, src string) []byte {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "p.go"), filepath.Join(dir, "p.a")
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command("go", "tool", "compile", "-p", "p", "-o", out, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// assemble returns the object file that the toolchain's assembler writes for src.
func assemble(t testing.TB, src string) []byte {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "p.s"), filepath.Join(dir, "p.o")
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command("go", "tool", "asm", "-p", "p", "-o", out, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, archive []byte) *Object {
	t.Helper()
	objs, err := ParseArchive(archive)
	if err != nil {
		t.Fatal(err)
	}
	if len(objs) != 1 {
		t.Fatalf("%d objects, want 1", len(objs))
	}
	return objs[0]
}

func symbol(t *testing.T, o *Object, name string) Sym {
	t.Helper()
	for i := range o.NumDef() {
		if s := o.Sym(i); s.Name() == name {
			return s
		}
	}
	t.Fatalf("no symbol %s", name)
	return Sym{}
}

func TestObject(t *testing.T) {
	o := parse(t, compile(t, source))
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	if o.FromAssembly() {
		t.Error("the object is said to come from the assembler")
	}
	for name, want := range map[string]func(Sym) bool{
		"p.Use":                     func(s Sym) bool { return s.Kind().IsText() && s.ABI() == ABIInternal && s.Size() > 0 },
		"p.Count":                   func(s Sym) bool { return s.Kind().IsVar() && !s.Kind().HasPointers() && s.Size() == 8 },
		"p.Pointer":                 func(s Sym) bool { return s.Kind().HasPointers() && s.Size() == 8 && len(s.Data()) == 0 },
		"p.Shapes":                  func(s Sym) bool { return s.Kind() == KindData && s.Size() == 24 },
		"type:p.Square":             func(s Sym) bool { return s.IsType() && s.Kind().IsROData() },
		"go:itab.*p.Square,p.Shape": func(s Sym) bool { return s.IsItab() && s.Size() == 32 },
	} {
		if s := symbol(t, o, name); !want(s) {
			t.Errorf("%s: kind %d, ABI %d, size %d, flags %x %x", name, s.Kind(), s.ABI(), s.Size(), s.flag(), s.flag2())
		}
	}
	ref, ok := symbol(t, o, "p.Count").Aux(AuxGotype)
	if name := o.RefName(ref); !ok || ref.Pkg != PkgNone && name != "type:int" {
		if i, own := o.Index(ref); !own || o.Sym(i).Name() != "type:int" {
			t.Errorf("the type of p.Count is %q", name)
		}
	}
}

func TestFuncInfo(t *testing.T) {
	o := parse(t, compile(t, source))
	ref, ok := symbol(t, o, "p.(*Square).Area").Aux(AuxFuncInfo)
	if !ok {
		t.Fatal("p.(*Square).Area has no function information")
	}
	i, ok := o.Index(ref)
	if !ok {
		t.Fatal("it is not in the object")
	}
	fi, err := ReadFuncInfo(o.Sym(i).Data())
	if err != nil {
		t.Fatal(err)
	}
	if fi.StartLine != 8 || len(fi.InlTree) != 1 || fi.InlTree[0].Line != 8 {
		t.Errorf("starts at line %d, inlined calls %+v; want line 8, one call in line 8", fi.StartLine, fi.InlTree)
	}
	if j, ok := o.Index(fi.InlTree[0].Func); !ok || o.Sym(j).Name() != "p.double" {
		t.Errorf("the inlined function is %v, want p.double", fi.InlTree[0].Func)
	}
	if len(fi.Files) == 0 || !strings.HasSuffix(o.File(fi.Files[0]), "p.go") {
		t.Errorf("files %v", fi.Files)
	}
	for n := range len(o.Sym(i).Data()) {
		if _, err := ReadFuncInfo(o.Sym(i).Data()[:n]); !errors.Is(err, ErrFormat) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestRelocs(t *testing.T) {
	o := parse(t, compile(t, source))
	var seen []RelocType
	for _, r := range symbol(t, o, "p.Use").Relocs() {
		seen = append(seen, r.Type())
	}
	for _, want := range []RelocType{RelCall, RelPCRel} {
		if !slices.Contains(seen, want) {
			t.Errorf("p.Use has no relocation of type %d: %v", want, seen)
		}
	}
}

func TestAssembly(t *testing.T) {
	o := assemble(t, "TEXT p·Add(SB), 4, $0-24\n\tMOVQ $1, ret+16(FP)\n\tRET\n")
	_, body, ok := strings.Cut(string(o), "\n!\n")
	if !ok {
		t.Fatal("no object")
	}
	obj, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.Validate(); err != nil {
		t.Fatal(err)
	}
	if !obj.FromAssembly() {
		t.Error("the object is not said to come from the assembler")
	}
	if s := symbol(t, obj, "p.Add"); s.ABI() != ABI0 || !s.Kind().IsText() {
		t.Errorf("p.Add: ABI %d, kind %d", s.ABI(), s.Kind())
	}
}

func TestMalformed(t *testing.T) {
	good := compile(t, source)
	for name, b := range map[string][]byte{
		"empty":             {},
		"no archive":        []byte("ELF or anything"),
		"no object":         good[:8],
		"cut header":        good[:40],
		"cut body":          good[:len(good)/2],
		"size not a number": append(append([]byte("!<arch>\n"), strings.Repeat("x", 58)...), '`', '\n'),
	} {
		if _, err := ParseArchive(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want an error of format", name, err)
		}
	}
	if _, err := Parse([]byte("\x00go119ld")); !errors.Is(err, ErrFormat) {
		t.Errorf("other magic: %v", err)
	}
}

// FuzzParse: any input gives an object or an error, never a panic.
func FuzzParse(f *testing.F) {
	archive := compile(f, source)
	f.Add(archive)
	f.Add(compile(f, "package p"))
	f.Add(archive[:len(archive)-100])
	f.Fuzz(func(t *testing.T, b []byte) {
		objs, err := ParseArchive(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is no error of format", err)
			}
			return
		}
		for _, o := range objs {
			if err := o.Validate(); err != nil && !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is no error of format", err)
			}
		}
	})
}

// TestFlippedBytes parses a real object with one wrong byte. Unlike the fuzz target, it
// runs with every test run.
func TestFlippedBytes(t *testing.T) {
	good := compile(t, source)
	start := strings.Index(string(good), magic)
	for off := start; off < len(good); off++ {
		if off > start+400 && off%7 != 0 {
			continue
		}
		b := slices.Clone(good)
		b[off] ^= 0xff
		objs, err := ParseArchive(b)
		for _, o := range objs {
			err = errors.Join(err, o.Validate())
		}
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("byte %d: %v", off, err)
		}
	}
}
