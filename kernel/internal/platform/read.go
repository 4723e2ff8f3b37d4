package platform

// Read reads a value at an address outside the Go heap. Signal handlers call it; see Pointer.
//
//go:norace
func Read[T any](p uintptr) T { return *(*T)(Pointer(p)) }
