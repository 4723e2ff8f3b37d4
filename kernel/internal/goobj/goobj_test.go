package goobj

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const source = `package main

type Shape struct{ Side int }

func (s *Shape) Area() int { return s.Side * s.Side }

var total int

var shape interface{ Area() int } = &Shape{3}

func main() { total += shape.Area() }
`

// compiled returns the archive of a small program without imports.
func compiled(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.go")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(dir, "p.o")
	if out, err := exec.Command("go", "tool", "compile", "-o", object, "-p", "main", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func object(t testing.TB) *Object {
	t.Helper()
	objs, err := ParseArchive(compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(objs) != 1 {
		t.Fatalf("%d objects", len(objs))
	}
	return objs[0]
}

func find(t *testing.T, o *Object, name string) Sym {
	t.Helper()
	for i := range o.NumSyms() {
		if s := o.Sym(i); s.Name() == name {
			return s
		}
	}
	t.Fatalf("no symbol %s", name)
	return Sym{}
}

func TestObject(t *testing.T) {
	o := object(t)
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	if o.FromAssembly() {
		t.Error("it was not written by the assembler")
	}
	main := find(t, o, "main.main")
	if !main.Kind().IsText() || main.ABI() != ABIInternal || main.Size() == 0 || len(main.Relocs()) == 0 {
		t.Errorf("main.main: kind %d, ABI %d, size %d, %d relocations", main.Kind(), main.ABI(), main.Size(), len(main.Relocs()))
	}
	ref, ok := main.Aux(AuxFuncInfo)
	i, own := o.Index(ref)
	if !ok || !own {
		t.Fatal("main.main has no function information")
	}
	fi, err := ReadFuncInfo(o.Sym(i).Data())
	if err != nil || fi.StartLine != 11 {
		t.Errorf("main.main starts at line %d, %v", fi.StartLine, err)
	}
	if s := find(t, o, "type:main.Shape"); !s.IsType() || !s.Kind().IsROData() {
		t.Error("type:main.Shape is no type descriptor")
	}
	if s := find(t, o, "main.total"); !s.Kind().IsVar() || s.Kind().HasPointers() || s.Size() != 8 || len(s.Data()) != 0 {
		t.Errorf("main.total: kind %d, size %d, %d bytes", s.Kind(), s.Size(), len(s.Data()))
	}
	if s := find(t, o, "main.shape"); !s.Kind().HasPointers() {
		t.Errorf("main.shape: kind %d", s.Kind())
	}
}

// TestMalformed cuts and changes an object everywhere: an error, never a panic.
func TestMalformed(t *testing.T) {
	b := compiled(t)
	for n := 0; n < len(b); n += 97 {
		check(t, b[:n])
	}
	for i := 0; i+4 <= len(b); i += 61 {
		c := append([]byte(nil), b...)
		binary.LittleEndian.PutUint32(c[i:], 0xfffffff0)
		check(t, c)
	}
}

func check(t *testing.T, b []byte) {
	t.Helper()
	objs, err := ParseArchive(b)
	for _, o := range objs {
		if e := o.Validate(); e != nil && !errors.Is(e, ErrFormat) {
			t.Errorf("unexpected kind of error: %v", e)
		}
	}
	if err != nil && !errors.Is(err, ErrFormat) {
		t.Errorf("unexpected kind of error: %v", err)
	}
}

func FuzzParseArchive(f *testing.F) {
	f.Add(compiled(f))
	f.Add([]byte(archiveMagic))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

// TestConstants compares what this package numbers with the toolchain's own.
func TestConstants(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src")
	relocs, err := os.ReadFile(filepath.Join(src, "cmd/internal/objabi/reloctype_string.go"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]RelocType{
		"R_ADDR": RelAddr, "R_ADDROFF": RelAddrOff, "R_SIZE": RelSize, "R_CALL": RelCall, "R_CONST": RelConst,
		"R_PCREL": RelPCRel, "R_TLS_LE": RelTLSLE, "R_GOTPCREL": RelGotPCRel, "R_METHODOFF": RelMethodOff,
		"R_KEEP": RelKeep, "R_INITORDER": RelInitOrder,
	} {
		if line := "x[" + name + "-" + strconv.Itoa(int(want)) + "]"; !strings.Contains(string(relocs), line) {
			t.Errorf("%s is not %d in this toolchain", name, want)
		}
	}
	kinds, err := os.ReadFile(filepath.Join(src, "cmd/internal/objabi/symkind_string.go"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Kind{
		"STEXT": KindText, "STEXTFIPS": KindTextFIPS, "SRODATA": KindROData, "SRODATAFIPS": KindRODataFIPS,
		"SNOPTRDATA": KindNoPtrData, "SNOPTRDATAFIPS": KindNoPtrDataFIPS, "SDATA": KindData, "SDATAFIPS": KindDataFIPS,
		"SBSS": KindBSS, "SNOPTRBSS": KindNoPtrBSS, "STLSBSS": KindTLSBSS,
	} {
		if line := "x[" + name + "-" + strconv.Itoa(int(want)) + "]"; !strings.Contains(string(kinds), line) {
			t.Errorf("%s is not %d in this toolchain", name, want)
		}
	}
}
