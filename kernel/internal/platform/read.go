package platform

func Read[T any](p uintptr) T { return *(*T)(Pointer(p)) }
