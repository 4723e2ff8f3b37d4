package goruntime

import (
	"fmt"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Hook replaces the function of the image whose symbol name is name. replacement is a top-level function of the same
// signature. Hook overwrites the beginning of the function, which is its stack check, by a jump to the replacement.
// It returns the original function, which then runs without a stack check, in the few hundred bytes that every stack
// has in reserve. The result is nil if the function has no stack check.
//
// Hook must be called before the process runs code that calls name.
func Hook[F any](h *Runtime, name string, replacement F) (original F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return original, noSymbol(name)
	}
	to := reflect.ValueOf(replacement).Pointer()
	original, _ = Original[F](h, name)
	return original, platform.ReplaceCode(entry, jump(entry, to))
}

// Original returns a function that consists of a part of the image's function whose symbol name is name: the part
// after the stack check, which Hook does not overwrite.
func Original[F any](h *Runtime, name string) (original F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return original, noSymbol(name)
	}
	n := stackCheck(platform.Bytes(entry, maxStackCheck))
	if n == 0 {
		return original, fmt.Errorf("the function %s does not begin with a stack check: Perijove does not support this version of Go", name)
	}
	return FuncAt[F](entry + uintptr(n)), nil
}
