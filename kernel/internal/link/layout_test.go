package link

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime/layouttest"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// TestMirrors compares our copies of runtime structures field by field.
func TestMirrors(t *testing.T) {
	types := layouttest.Program(t)
	for name, ours := range map[string]reflect.Type{
		"runtime.moduledata": reflect.TypeFor[moduleData](),
		"runtime.bitvector":  reflect.TypeFor[bitvector](),
		"internal/abi.ITab":  reflect.TypeFor[itab](),
		"runtime.worldStop":  reflect.TypeFor[worldStop](),
	} {
		types.Same(t, name, ours)
	}
}

// TestOffsets compares the offsets that code uses as numbers.
func TestOffsets(t *testing.T) {
	types := layouttest.Program(t)
	for _, f := range []struct {
		typ, field string
		off        int64
	}{
		{"internal/abi.Type", "Size_", typeSizeOff},
		{"internal/abi.Type", "PtrBytes", typePtrBytesOff},
		{"internal/abi.Type", "Hash", typeHashOff},
		{"internal/abi.Type", "TFlag", typeTFlagOff},
		{"internal/abi.Type", "Kind_", typeKindOff},
		{"internal/abi.Type", "Equal", typeEqualOff},
		{"internal/abi.Type", "GCData", typeGCDataOff},
		{"internal/abi.Type", "Str", typeStrOff},
		{"internal/abi.Type", "PtrToThis", typePtrThisOff},
		{"internal/abi.ITab", "Fun", itabFixed},
		{"internal/abi.ITab", "Hash", 16},
		{"internal/abi.UncommonType", "Mcount", 4},
		{"internal/abi.UncommonType", "Moff", 8},
		{"internal/abi.ArrayType", "Elem", 48},
		{"internal/abi.ArrayType", "Len", 64},
		{"internal/abi.StructType", "Fields", 56},
		{"runtime.itabTableType", "entries", 16},
		{"runtime._func", "nfuncdata", funcSize - 1},
		{"runtime._func", "nameOff", funcNameOff},
		{"runtime._func", "npcdata", 28},
		{"runtime._func", "cuOffset", 32},
		{"runtime._func", "startLine", 36},
		{"runtime._func", "funcID", 40},
		{"runtime._func", "flag", 41},
		{"runtime._panic", "arg", 0},
		{"runtime.mheap", "allspans", heapSpans},
		{"runtime.mspan", "startAddr", spanStart},
		{"runtime.mspan", "npages", spanPages},
		{"runtime.mspan", "nelems", spanElems},
		{"runtime.mspan", "freeIndexForScan", spanFreeIndex},
		{"runtime.mspan", "allocBits", spanAllocBits},
		{"runtime.mspan", "spanclass", spanClass},
		{"runtime.mspan", "state", spanState},
		{"runtime.mspan", "elemsize", spanElemSize},
		{"runtime.mspan", "specials", spanSpecials},
		{"runtime.special", "next", 0},
		{"runtime.finBlock", "alllink", 0},
		{"runtime.specialfinalizer", "fn", specialFunc},
		{"runtime.g", "syscallsp", gSyscallSP},
		{"runtime.inlinedCall", "nameOff", 4},
		{"runtime.inlinedCall", "parentPc", 8},
		{"runtime.inlinedCall", "startLine", 12},
		{"runtime.g", "stack", gStackLo},
		{"runtime.g", "sched", gSchedBP - 40},
		{"runtime.gobuf", "bp", 40},
		{"runtime.gobuf", "pc", 8},
		{"runtime.g", "syscallpc", gSyscallPC},
		{"runtime.g", "gopc", gGoPC},
		{"runtime.g", "_panic", gPanic},
		{"runtime.g", "syscallbp", gSyscallBP},
		{"runtime.g", "atomicstatus", gStatus},
		{"runtime.g", "goid", gID},
		{"runtime.g", "waitreason", gWaitReason},
		{"runtime.g", "startpc", gStartPC},
		{"runtime.g", "labels", gLabels},
		{"runtime.stack", "hi", gStackHi},
		{"runtime.p", "timers", pTimersHeap - 8},
		{"runtime.timers", "heap", 8},
		{"runtime.timerWhen", "timer", 0},
		{"runtime.timer", "state", timerState},
		{"runtime.timer", "f", timerFunc},
		{"runtime.hchan", "recvq", chanReceivers},
		{"runtime.waitq", "first", 0},
		{"internal/abi.TypeAssertCache", "Entries", 8},
		{"internal/abi.TypeAssertCacheEntry", "Itab", assertEntry - 8},
		{"internal/abi.InterfaceSwitchCache", "Entries", 8},
		{"internal/abi.InterfaceSwitchCacheEntry", "Typ", 0},
		{"internal/abi.InterfaceSwitchCacheEntry", "Itab", switchEntry - 8},
	} {
		if got := types.Field(t, f.typ, f.field).ByteOffset; got != f.off {
			t.Errorf("%s.%s is at %d, not %d", f.typ, f.field, got, f.off)
		}
	}
	for name, size := range map[string]int64{
		"internal/abi.Type":         typeHeader,
		"internal/abi.UncommonType": uncommonSize,
		"internal/abi.Method":       methodSize,
		"runtime._func":             funcSize,
		"runtime.findfuncbucket":    bucketSize,
		"runtime.pcHeader":          pcHeaderSize,
		"runtime.inlinedCall":       16,
		"runtime.timerWhen":         timerWhenSize,
		"internal/abi.StructField":  24,
	} {
		if types[name] == nil {
			t.Errorf("the runtime has no %s", name)
		} else if got := types[name].ByteSize; got != size {
			t.Errorf("%s has %d bytes, not %d", name, got, size)
		}
	}
	for kind, name := range map[uint8]string{
		kindPointer: "PtrType", kindSlice: "SliceType", kindFunc: "FuncType", kindChan: "ChanType", kindArray: "ArrayType",
		kindInterface: "InterfaceType", kindStruct: "StructType", kindMap: "MapType", kindString: "Type",
	} {
		s := types["internal/abi."+name]
		if s == nil {
			t.Errorf("the runtime has no %s", name)
		} else if int(s.ByteSize) != uncommonOff(kind) {
			t.Errorf("what follows a %s is at %d, not %d", name, s.ByteSize, uncommonOff(kind))
		}
	}
}

// TestKinds pins the kinds against reflect on this very
// process.
func TestKinds(t *testing.T) {
	for kind, want := range map[reflect.Kind]int{
		reflect.Array: kindArray, reflect.Chan: kindChan, reflect.Func: kindFunc, reflect.Interface: kindInterface, reflect.Map: kindMap,
		reflect.Pointer: kindPointer, reflect.Slice: kindSlice, reflect.String: kindString, reflect.Struct: kindStruct, reflect.UnsafePointer: kindUnsafePtr,
	} {
		if int(kind) != want {
			t.Errorf("%v is %d, not %d", kind, int(kind), want)
		}
	}
}

// TestFlags pins type flags against what this process's own types have.
func TestFlags(t *testing.T) {
	flags := func(typ reflect.Type) uint8 { return platform.Read[uint8](descriptorOf(typ) + typeTFlagOff) }
	for typ, want := range map[reflect.Type]uint8{
		reflect.TypeFor[[]int](): 0, reflect.TypeFor[pointers](): tflagNamed | tflagUncommon, reflect.TypeFor[*Goroutines](): tflagUncommon,
		reflect.TypeFor[int](): tflagNamed | tflagUncommon,
	} {
		if got := flags(typ) & (tflagNamed | tflagUncommon); got != want {
			t.Errorf("%v has flags %b, want %b", typ, got, want)
		}
	}
}

//lint:ignore U1000 only the layout counts
type pointers struct {
	a int
	b string
	c [2]struct {
		x *int
		y uint64
	}
	d any
	e []byte
	f map[string]int
	g float64
}

// TestPointerMask compares with what the collector needs: every word that may
// hold a pointer, and no other.
func TestPointerMask(t *testing.T) {
	var v any = pointers{}
	typ := *(*uintptr)(unsafe.Pointer(&v))
	got := map[uintptr]bool{}
	pointerMask(typ, 0, func(off uintptr) { got[off] = true })
	var p pointers
	want := map[uintptr]bool{
		unsafe.Offsetof(p.b): true, unsafe.Offsetof(p.c): true, unsafe.Offsetof(p.c) + 16: true,
		unsafe.Offsetof(p.d): true, unsafe.Offsetof(p.d) + 8: true, unsafe.Offsetof(p.e): true, unsafe.Offsetof(p.f): true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("words with pointers: %v, want %v", got, want)
	}
}
