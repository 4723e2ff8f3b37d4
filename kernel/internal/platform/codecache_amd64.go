package platform

// FlushCode makes the n bytes of code at addr, which were written through any mapping, visible to the instruction
// fetch of all processors. It must be called before the code runs. On amd64 it does nothing, since the processors
// keep their instruction caches consistent.
func FlushCode(addr uintptr, n int) {}
