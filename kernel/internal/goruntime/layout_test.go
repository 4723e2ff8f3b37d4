package goruntime

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime/layouttest"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// TestMirrors compares this package's copies of runtime structures with the originals, field by field.
func TestMirrors(t *testing.T) {
	types := layouttest.Program(t)
	for name, ours := range map[string]reflect.Type{
		"runtime.moduledata": reflect.TypeFor[ModuleData](),
		"runtime.bitvector":  reflect.TypeFor[BitVector](),
		"internal/abi.ITab":  reflect.TypeFor[Itab](),
		"runtime.worldStop":  reflect.TypeFor[WorldStop](),
	} {
		types.Same(t, name, ours)
	}
}

// TestOffsets compares the offsets and sizes that the code has as numbers.
func TestOffsets(t *testing.T) {
	types := layouttest.Program(t)
	for _, f := range []struct {
		typ, field string
		off        int64
	}{
		{"internal/abi.Type", "Size_", typeSizeOff},
		{"internal/abi.Type", "PtrBytes", typePtrBytesOff},
		{"internal/abi.Type", "Hash", typeHashOff},
		{"internal/abi.Type", "TFlag", TypeTFlagOff},
		{"internal/abi.Type", "Kind_", TypeKindOff},
		{"internal/abi.Type", "Equal", TypeEqualOff},
		{"internal/abi.Type", "GCData", TypeGCDataOff},
		{"internal/abi.Type", "Str", typeStrOff},
		{"internal/abi.Type", "PtrToThis", TypePtrThisOff},
		{"internal/abi.ITab", "Fun", ItabHeaderSize},
		{"internal/abi.ITab", "Hash", 16},
		{"internal/abi.UncommonType", "Mcount", 4},
		{"internal/abi.UncommonType", "Moff", 8},
		{"internal/abi.ArrayType", "Elem", 48},
		{"internal/abi.ArrayType", "Len", 64},
		{"internal/abi.StructType", "Fields", 56},
		{"runtime.itabTableType", "entries", 16},
		{"runtime._func", "nfuncdata", FuncSize - 1},
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
		{"runtime.g", "stack", GStackLo},
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
		{"runtime.g", "waitsince", gWaitSince},
		{"runtime.g", "startpc", gStartPC},
		{"runtime.g", "labels", gLabels},
		{"runtime.stack", "hi", GStackHi},
		{"runtime.p", "timers", pTimersHeap - 8},
		{"runtime.timers", "heap", 8},
		{"runtime.timerWhen", "timer", 0},
		{"runtime.timer", "state", timerState},
		{"runtime.timer", "f", timerFunc},
		{"runtime.hchan", "recvq", chanReceivers},
		{"internal/runtime/maps.Map", "writing", mapWriting},
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
		"internal/abi.Type":         TypeHeader,
		"internal/abi.UncommonType": UncommonSize,
		"internal/abi.Method":       MethodSize,
		"runtime._func":             FuncSize,
		"runtime.findfuncbucket":    BucketSize,
		"runtime.pcHeader":          PCHeaderSize,
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
		KindPointer: "PtrType", KindSlice: "SliceType", KindFunc: "FuncType", KindChan: "ChanType", KindArray: "ArrayType",
		kindInterface: "InterfaceType", KindStruct: "StructType", KindMap: "MapType", kindString: "Type",
	} {
		s := types["internal/abi."+name]
		if s == nil {
			t.Errorf("the runtime has no %s", name)
		} else if int(s.ByteSize) != UncommonOff(kind) {
			t.Errorf("what follows a %s is at %d, not %d", name, s.ByteSize, UncommonOff(kind))
		}
	}
}

// TestKinds compares the kinds with those of package reflect.
func TestKinds(t *testing.T) {
	for kind, want := range map[reflect.Kind]int{
		reflect.Array: KindArray, reflect.Chan: KindChan, reflect.Func: KindFunc, reflect.Interface: kindInterface, reflect.Map: KindMap,
		reflect.Pointer: KindPointer, reflect.Slice: KindSlice, reflect.String: kindString, reflect.Struct: KindStruct, reflect.UnsafePointer: kindUnsafePtr,
	} {
		if int(kind) != want {
			t.Errorf("%v is %d, not %d", kind, int(kind), want)
		}
	}
}

// TestFlags compares type flags with those of types of this process.
func TestFlags(t *testing.T) {
	flags := func(typ reflect.Type) uint8 { return platform.Read[uint8](descriptorOf(typ) + TypeTFlagOff) }
	for typ, want := range map[reflect.Type]uint8{
		reflect.TypeFor[[]int](): 0, reflect.TypeFor[pointers](): TFlagNamed | TFlagUncommon, reflect.TypeFor[*Goroutines](): TFlagUncommon,
		reflect.TypeFor[int](): TFlagNamed | TFlagUncommon,
	} {
		if got := flags(typ) & (TFlagNamed | TFlagUncommon); got != want {
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

// TestPointerMask: PointerMask reports every word of a type that may hold a pointer, and no
// other word.
func TestPointerMask(t *testing.T) {
	var v any = pointers{}
	typ := *(*uintptr)(unsafe.Pointer(&v))
	got := map[uintptr]bool{}
	PointerMask(typ, 0, func(off uintptr) { got[off] = true })
	var p pointers
	want := map[uintptr]bool{
		unsafe.Offsetof(p.b): true, unsafe.Offsetof(p.c): true, unsafe.Offsetof(p.c) + 16: true,
		unsafe.Offsetof(p.d): true, unsafe.Offsetof(p.d) + 8: true, unsafe.Offsetof(p.e): true, unsafe.Offsetof(p.f): true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("words with pointers: %v, want %v", got, want)
	}
}
