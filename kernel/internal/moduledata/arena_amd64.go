package moduledata

import "github.com/perijove/perijove/kernel/internal/goruntime"

// A layout places the arenas: below 2 GB and above the image, so that code
// reaches them and the image by 32-bit offsets. It is the same in every process
// of an image, since children must find functions at the same addresses. Sizes
// bound address space, not memory.
type layout struct {
	base                  uintptr
	text, ro, data, noptr uintptr // sizes
}

func layoutFor(h *goruntime.Runtime) layout {
	if h.Cgo {
		return cLayout()
	}
	return plainLayout()
}

func plainLayout() layout {
	return layout{base: 0x10000000, text: 256 << 20, ro: 256 << 20, data: 512 << 20, noptr: 512 << 20}
}

// cLayout leaves room for the heap of the C library: Linux puts its beginning
// at a random place up to 1 GB above the image.
func cLayout() layout {
	return layout{base: 0x48000000, text: 128 << 20, ro: 128 << 20, data: 320 << 20, noptr: 320 << 20}
}
