package link

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
)

// reloc returns a relocation in the form of an object file.
func reloc(off int32, size uint8, typ goobj.RelocType, add int64) goobj.Reloc {
	b := make([]byte, 23)
	le := binary.LittleEndian
	le.PutUint32(b, uint32(off))
	b[4] = size
	le.PutUint16(b[5:], uint16(typ))
	le.PutUint64(b[7:], uint64(add))
	return goobj.Reloc(b)
}

// testLoad returns a load into an empty module.
func testLoad() *load {
	m := &moduledata.Module{
		ModuleData: &goruntime.ModuleData{Text: 0x400000, Types: 0x500000, Rodata: 0x500000},
		Text:       &moduledata.Arena{Base: 0x10000000, Size: 1 << 20},
	}
	rt := &goruntime.Runtime{FirstModule: &goruntime.ModuleData{Text: 0x400000, Etext: 0x480000}, TLSDistance: 8}
	return &load{Linker: &Linker{mod: m, runtime: rt, reflected: &goruntime.ReflectCaches{}}}
}

func TestRelocate(t *testing.T) {
	const at = 0x10000100
	for name, c := range map[string]struct {
		size   uint8
		typ    goobj.RelocType
		add    int64
		target uintptr
		want   int64
	}{
		"address":              {8, goobj.RelAddr, 16, 0x7f0011223344, 0x7f0011223354},
		"address in 4 bytes":   {4, goobj.RelAddr, 0, 0x8fffffff, 0x8fffffff},
		"call back":            {4, goobj.RelCall, 0, 0x10000000, 0x10000000 - (at + 4 + 4)},
		"call of the image":    {4, goobj.RelCall, 0, 0x410000, 0x410000 - (at + 4 + 4)},
		"data after the code":  {4, goobj.RelPCRel, 8, 0x20000000, 0x20000008 - (at + 4 + 4)},
		"thread pointer":       {4, goobj.RelTLSLE, 0, 0, -8},
		"constant":             {4, goobj.RelConst, 77, 0, 77},
		"offset of code":       {4, goobj.RelMethodOff, 0, 0x10000040, 0x10000040 - 0x400000},
		"offset of image code": {4, goobj.RelAddrOff, 0, 0x420000, 0x20000},
	} {
		t.Run(name, func(t *testing.T) {
			b := make([]byte, 16)
			n := &node{name: "main.f", addr: at}
			if err := testLoad().relocate(n, b, reloc(4, c.size, c.typ, c.add), target{addr: c.target}); err != nil {
				t.Fatal(err)
			}
			got := int64(int32(binary.LittleEndian.Uint32(b[4:])))
			if c.size == 8 {
				got = int64(binary.LittleEndian.Uint64(b[4:]))
			}
			if c.size == 4 && got != int64(int32(c.want)) || c.size == 8 && got != c.want {
				t.Errorf("wrote %#x, want %#x", got, c.want)
			}
			for i, v := range b {
				if v != 0 && (i < 4 || i >= 4+int(c.size)) {
					t.Errorf("byte %d was written", i)
				}
			}
		})
	}
}

// TestRelocateOutOfReach: a relocation that does not fit gives an error, never a wrong address.
func TestRelocateOutOfReach(t *testing.T) {
	const far = 0x7fff00000000
	for name, c := range map[string]struct {
		r    goobj.Reloc
		want string
	}{
		"call":              {reloc(4, 4, goobj.RelCall, 0), "does not fit into the 32 bits"},
		"address":           {reloc(4, 4, goobj.RelAddr, 0), "does not fit into the 32 bits"},
		"no LEA before":     {reloc(4, 4, goobj.RelPCRel, 0), "too far from the code"},
		"LEA with addend":   {reloc(12, 4, goobj.RelPCRel, 8), "too far from the code"},
		"outside":           {reloc(14, 4, goobj.RelAddr, 0), "outside the symbol"},
		"before the symbol": {reloc(-1, 4, goobj.RelAddr, 0), "outside the symbol"},
		"unknown type":      {reloc(4, 4, 200, 0), "type 200 is not supported"},
		"odd size":          {reloc(4, 3, goobj.RelConst, 0), "3 bytes"},
	} {
		b := make([]byte, 16)
		b[10] = 0x8d // LEA, two bytes before offset 12
		err := testLoad().relocate(&node{name: "main.f", addr: 0x10000100}, b, c.r, target{addr: far})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestRelocateSelf: recursive calls and jump tables refer to the body of a function, not to its stub.
func TestRelocateSelf(t *testing.T) {
	n := &node{name: "main.f", addr: 0x10000100, stub: &stub{addr: 0x10000000}}
	b := make([]byte, 8)
	ld := testLoad()
	if err := ld.relocate(n, b, reloc(0, 4, goobj.RelCall, 0), target{node: n}); err != nil {
		t.Fatal(err)
	}
	if got := int32(binary.LittleEndian.Uint32(b)); got != -4 {
		t.Errorf("a recursive call goes to %+d, want the function itself", got)
	}
	other := &node{name: "main.g", addr: 0x10000200}
	if err := ld.relocate(other, b, reloc(0, 8, goobj.RelAddr, 0), target{node: n}); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint64(b); got != 0x10000000 {
		t.Errorf("the address of a notebook function is %#x, want its stub", got)
	}
	if err := ld.relocate(other, b, reloc(0, 8, goobj.RelAddr, 5), target{node: n}); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint64(b); got != 0x10000105 {
		t.Errorf("an address within a function is %#x, want one in its body", got)
	}
}

func TestStub(t *testing.T) {
	b := make([]byte, stubSize)
	writeStub(b, &stub{addr: 0x10000000, slot: 0x20000000})
	if b[0] != 0xff || b[1] != 0x25 {
		t.Fatalf("a stub begins with % x, want JMP through memory", b[:2])
	}
	if got := 0x10000000 + 6 + int64(int32(binary.LittleEndian.Uint32(b[2:]))); got != 0x20000000 {
		t.Errorf("it jumps through %#x", got)
	}
	for _, v := range b[6:] {
		if v != 0xcc {
			t.Errorf("the rest is % x, want traps", b[6:])
			break
		}
	}
}
