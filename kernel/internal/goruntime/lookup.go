package goruntime

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Func returns the image's function with this symbol name, which need not be exported.
func Func[F any](h *Runtime, name string) (f F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return f, noSymbol(name)
	}
	return FuncAt[F](entry), nil
}

// noSymbol returns the error of a symbol that the worker image does not have.
func noSymbol(name string) error {
	return fmt.Errorf("the worker image has no symbol %s: Perijove does not support this version of Go", name)
}

// Address returns the address of the image's function with this symbol name.
func Address(h *Runtime, name string) (uintptr, error) {
	addr, ok := h.Index.Lookup(name, 1)
	if !ok {
		return 0, noSymbol(name)
	}
	return addr, nil
}

// Var returns a pointer to the image's variable with this symbol name. T must have the layout of the variable's type.
func Var[T any](h *Runtime, name string) (*T, error) {
	addr, ok := h.Index.Lookup(name, 0)
	if !ok {
		return nil, noSymbol(name)
	}
	return (*T)(platform.Pointer(addr)), nil
}
