package moduledata

import "github.com/perijove/perijove/kernel/internal/goruntime"

// A layout holds the addresses of the arenas. They are below 2 GB and above the image, so that code reaches the arenas
// and the image by 32-bit offsets. The layout is the same in every process of an image, since children must have
// functions at the same addresses. The sizes are limits of address space, not of memory.
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

// cLayout leaves room for the heap of the C library, which Linux begins
// at a random address up to 1 GB above the image.
func cLayout() layout {
	return layout{base: 0x48000000, text: 128 << 20, ro: 128 << 20, data: 320 << 20, noptr: 320 << 20}
}
