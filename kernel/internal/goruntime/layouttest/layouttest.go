// Package layouttest compares Go structures of this project with those of the Go runtime and the standard library. It
// reads the latter from the debug information of a program.
package layouttest

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Structs maps names, such as "runtime.moduledata", to structures.
type Structs map[string]*dwarf.StructType

// Program builds a small program with the installed toolchain and returns
// the structures in its debug information. The program imports
// encoding/gob, os/signal and reflect.
func Program(t testing.TB) Structs {
	t.Helper()
	dir := t.TempDir()
	src := `package main

import (
	"encoding/gob"
	"fmt"
	"os"
	"os/signal"
	"reflect"
)

func main() {
	signal.Notify(make(chan os.Signal, 1))
	_ = gob.NewEncoder(os.Stdout).Encode(1)
	fmt.Println(reflect.TypeOf(fmt.Println).String())
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", "prog", "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	f, err := elf.Open(filepath.Join(dir, "prog"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	return structs(t, d)
}

func structs(t testing.TB, d *dwarf.Data) Structs {
	t.Helper()
	types := Structs{}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return types
		}
		if e.Tag != dwarf.TagStructType {
			continue
		}
		ty, err := d.Type(e.Offset)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := ty.(*dwarf.StructType); ok {
			types[s.StructName] = s
		}
	}
}

// Field returns a field of a structure. It ignores the case of the name.
func (types Structs) Field(t testing.TB, typ, name string) *dwarf.StructField {
	t.Helper()
	s := types[typ]
	if s == nil {
		t.Fatalf("the runtime has no %s", typ)
	}
	f := field(s, name)
	if f == nil {
		t.Fatalf("%s has no field %s", typ, name)
	}
	return f
}

func field(s *dwarf.StructType, name string) *dwarf.StructField {
	for _, f := range s.Field {
		if strings.EqualFold(f.Name, name) || f.Name == "Type" && strings.EqualFold(name, "typ") {
			return f
		}
	}
	return nil
}

// Same reports a test error for each field of ours whose offset or size differs in the named structure. It also
// reports an error if the sizes of the structures differ.
func (types Structs) Same(t testing.TB, name string, ours reflect.Type) {
	t.Helper()
	types.Prefix(t, name, ours)
	if theirs := types[name]; theirs != nil && int64(ours.Size()) != theirs.ByteSize {
		t.Errorf("%s has %d bytes, ours %d", name, theirs.ByteSize, ours.Size())
	}
}

// Prefix is like Same, but the named structure may have further fields after those of ours.
func (types Structs) Prefix(t testing.TB, name string, ours reflect.Type) {
	t.Helper()
	theirs := types[name]
	if theirs == nil {
		t.Errorf("the runtime has no %s", name)
		return
	}
	for i := range ours.NumField() {
		f := ours.Field(i)
		switch at := field(theirs, f.Name); {
		case at == nil:
			t.Errorf("%s has no field %s", name, f.Name)
		case at.ByteOffset != int64(f.Offset) || at.Type.Size() != int64(f.Type.Size()):
			t.Errorf("%s.%s is at %d with %d bytes, ours at %d with %d", name, f.Name, at.ByteOffset, at.Type.Size(), f.Offset, f.Type.Size())
		}
	}
}
