package link

import "github.com/perijove/perijove/kernel/internal/platform"

func loadAt[T any](p uintptr) T { return *(*T)(platform.Pointer(p)) }
