package moduledata

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

func TestArenaAlloc(t *testing.T) {
	a := &Arena{name: "code", Base: 0x10000000, Size: 256}
	for i, c := range []struct{ n, align, want uintptr }{{10, 1, 0}, {1, 32, 32}, {4, 4, 36}, {200, 8, 40}} {
		if p, err := a.Alloc(c.n, c.align); err != nil || p != a.Base+c.want {
			t.Fatalf("allocation %d is at %#x, %v, want %#x", i, p, err, a.Base+c.want)
		}
	}
	for _, n := range []uintptr{17, ^uintptr(0), ^uintptr(0) - 0x10000000} {
		if p, err := a.Alloc(n, 1); err == nil || !strings.Contains(err.Error(), "code area") {
			t.Errorf("%#x more bytes: %#x, %v", n, p, err)
		}
	}
	if p, err := a.Alloc(16, 1); err != nil || p != a.Base+240 {
		t.Errorf("the last bytes: %#x, %v", p, err)
	}
}

// TestLayouts: in both layouts, 32-bit offsets reach all arenas.
func TestLayouts(t *testing.T) {
	const limit = 1 << 31
	for _, cgo := range []bool{false, true} {
		at := layoutFor(&goruntime.Runtime{Cgo: cgo})
		if end := at.base + at.text + at.ro + at.data + at.noptr; end > limit {
			t.Errorf("cgo %v: the arenas end at %#x, behind %#x", cgo, end, limit)
		}
	}
}

func TestTableGrow(t *testing.T) {
	tab := &table{name: "line", buf: make([]byte, 32), n: 1}
	if off, err := tab.Grow(8, 8); err != nil || off != 8 {
		t.Errorf("%d, %v", off, err)
	}
	if off, err := tab.Append([]byte("abc")); err != nil || off != 16 || string(tab.buf[16:19]) != "abc" {
		t.Errorf("%d, %v", off, err)
	}
	if _, err := tab.Grow(16, 1); err == nil || !strings.Contains(err.Error(), "line table") {
		t.Errorf("a full table: %v", err)
	}
	if tab.n != 19 {
		t.Errorf("a failed Grow leaves %d bytes in use", tab.n)
	}
}
