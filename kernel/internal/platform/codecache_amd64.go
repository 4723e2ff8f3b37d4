package platform

// FlushCode makes the n bytes of code at addr, which were written through any mapping, visible to the instruction fetch of all
// processors. It must be called before they run. On amd64, the processors do that themselves.
func FlushCode(addr uintptr, n int) {}
