package goruntime

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// RenameFunc gives the image's function that begins at pc the name of the function like, for stack traces and
// profiles.
func (h *Runtime) RenameFunc(pc uintptr, like string) error {
	to, ok := h.Index.Lookup(like, 1)
	if !ok {
		return noSymbol(like)
	}
	a, b := funcRecord(pc), funcRecord(to)
	if a == 0 || b == 0 {
		return fmt.Errorf("cannot rename the function at the address %#x: the function table has no entry for this function or for %s", pc, like)
	}
	return platform.ReplaceConstant(a+funcNameOff, platform.Bytes(b+funcNameOff, 4))
}

// funcRecord returns the address of the runtime._func of the function that
// begins at pc, or 0. A *runtime.Func points to it, unless the call at pc is inlined.
func funcRecord(pc uintptr) uintptr {
	f := runtime.FuncForPC(pc)
	if f == nil || f.Entry() != pc || platform.Read[uint32](uintptr(unsafe.Pointer(f))) == NoOffset {
		return 0
	}
	return uintptr(unsafe.Pointer(f))
}

const NoOffset = ^uint32(0)
