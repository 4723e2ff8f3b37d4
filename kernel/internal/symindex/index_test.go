package symindex

import (
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
	for name, b := range map[string][]byte{"empty": nil, "magic": wrong, "cut header": good[:20], "cut slots": good[:500]} {
		if _, err := Open(b); err == nil || !strings.Contains(err.Error(), "built again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
