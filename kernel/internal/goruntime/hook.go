package goruntime

import (
	"fmt"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Hook makes calls of the image's function name go to replacement, a top-level
// function of the same signature. It returns a function that does what the
// replaced one did, or nil where that has no stack check to skip: the check is
// what gets overwritten, so the original runs without one: in the few hundred
// bytes that every stack has in reserve.
//
// Hooks are set before the process runs anything that calls name.
func Hook[F any](h *Runtime, name string, replacement F) (original F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return original, fmt.Errorf("the image lacks %s", name)
	}
	to := reflect.ValueOf(replacement).Pointer()
	original, _ = Original[F](h, name)
	return original, platform.ReplaceCode(entry, jump(entry, to))
}

// Original returns the part of the image's function name that Hook leaves
// alone, as a function.
func Original[F any](h *Runtime, name string) (original F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return original, fmt.Errorf("the image lacks %s", name)
	}
	n := stackCheck(platform.Bytes(entry, 24))
	if n == 0 {
		return original, fmt.Errorf("%s does not begin with a stack check", name)
	}
	return FuncAt[F](entry + uintptr(n)), nil
}
