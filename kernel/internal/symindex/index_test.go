package symindex

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestIndex(t *testing.T) {
	var syms []Symbol
	for i := range 5000 {
		syms = append(syms, Symbol{Name: fmt.Sprintf("pkg%d.symbol%d", i%7, i), Addr: uint64(0x400000 + i)})
	}
	syms = append(syms,
		Symbol{Name: "both", Text: true, ABI: 0, Addr: 1},
		Symbol{Name: "both", Text: true, ABI: 1, Addr: 2},
		Symbol{Name: "long." + strings.Repeat("x", 3000), Addr: 3},
		Symbol{Name: "high", Addr: 1<<48 - 1},
		Symbol{Name: "example.com/a.b/c.F", Addr: 4},
		Symbol{Name: "example.com/a.b/c.G[go.shape.struct { X example.com/d.T }]", Addr: 5},
		Symbol{Name: "example.com/a.b/c.(*T[example.com/d.T]).M", Addr: 6},
		Symbol{Name: "/", Addr: 7},
		Symbol{Name: ".x", Addr: 8},
	)
	builtins := []Builtin{{"runtime.newobject", 1}, {"runtime.memhash", 0}}
	b := Encode(syms, builtins)
	x, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if addr, ok := x.Lookup(s.Name, s.ABI); !ok || addr != uintptr(s.Addr) {
			t.Fatalf("%.30s ABI %d: %#x, %v", s.Name, s.ABI, addr, ok)
		}
	}
	if addr, ok := x.Lookup("pkg1.symbol0", 0); ok {
		t.Errorf("a symbol that was never entered is at %#x", addr)
	}
	if _, ok := x.Lookup("pkg1.symbol1", 1); !ok {
		t.Error("a variable is not found under the other calling convention")
	}
	for i, want := range builtins {
		if got, err := x.Builtin(uint32(i)); err != nil || got != want {
			t.Errorf("builtin %d: %v, %v", i, got, err)
		}
	}
	if _, err := x.Builtin(2); err == nil {
		t.Error("a builtin beyond the list is found")
	}
}

func TestBrokenIndex(t *testing.T) {
	good := Encode([]Symbol{{Name: "a.b", Addr: 4}}, []Builtin{{"runtime.x", 1}})
	wrong := append([]byte("notindex"), good[8:]...)
	for name, b := range map[string][]byte{"empty": nil, "magic": wrong, "cut header": good[:20], "cut slots": good[:60], "cut names": good[:len(good)-1]} {
		if _, err := Open(b); err == nil || !strings.Contains(err.Error(), "builds the worker image again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIndexIsLocal checks that the symbols of a package are near each other in the file: the pages that lookups read
// stay in the memory of the worker process.
func TestIndexIsLocal(t *testing.T) {
	var syms []Symbol
	for i := range 40000 {
		syms = append(syms, Symbol{Name: fmt.Sprintf("example.com/pkg%d.symbol%d", i%400, i), Addr: uint64(0x400000 + i)})
	}
	x, err := Open(Encode(syms, nil))
	if err != nil {
		t.Fatal(err)
	}
	const name = "example.com/pkg7.symbol7"
	v := x.find(x.groups, group(name), func(uint64) bool { return true })
	table := x.b[v&groupOffset:]
	size := slotSize << (v >> groupBits)
	if size > 4096 {
		t.Errorf("the table of 100 symbols has %d bytes", size)
	}
	at := bytes.Index(table, []byte(name))
	if at < size || at > size+100*len("example.com/pkg7.symbol40000") {
		t.Errorf("the name is %d bytes after the start of its package's table of %d bytes", at, size)
	}
}
