package goruntime

import (
	"bytes"
	"encoding/binary"
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
	jump := make([]byte, 5)
	jump[0] = 0xe9
	binary.LittleEndian.PutUint32(jump[1:], uint32(int32(int64(to)-int64(entry)-5)))
	original, _ = Original[F](h, name)
	return original, platform.ReplaceCode(entry, jump)
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

// Func returns the image's function name, exported or not.
func Func[F any](h *Runtime, name string) (f F, err error) {
	entry, ok := h.Index.Lookup(name, 1)
	if !ok {
		return f, fmt.Errorf("the image lacks %s", name)
	}
	return FuncAt[F](entry), nil
}

// Address returns where the image's function name begins.
func Address(h *Runtime, name string) (uintptr, error) {
	addr, ok := h.Index.Lookup(name, 1)
	if !ok {
		return 0, fmt.Errorf("the image lacks %s", name)
	}
	return addr, nil
}

// Var returns a variable of the image.
func Var[T any](h *Runtime, name string) (*T, error) {
	addr, ok := h.Index.Lookup(name, 0)
	if !ok {
		return nil, fmt.Errorf("the image lacks %s", name)
	}
	return (*T)(platform.Pointer(addr)), nil
}

// stackCheck returns the length of a function's stack check, if it begins with
// one: CMPQ SP, 16(R14) and a conditional jump, or the same with R12 after LEAQ
// -x(SP), R12 where the frame is large.
func stackCheck(code []byte) int {
	n := 0
	switch {
	case bytes.HasPrefix(code, []byte{0x49, 0x3b, 0x66, 0x10}):
		n = 4
	case bytes.HasPrefix(code, []byte{0x4c, 0x8d, 0x64, 0x24}) && bytes.HasPrefix(code[5:], []byte{0x4d, 0x3b, 0x66, 0x10}):
		n = 5 + 4
	case bytes.HasPrefix(code, []byte{0x4c, 0x8d, 0xa4, 0x24}) && bytes.HasPrefix(code[8:], []byte{0x4d, 0x3b, 0x66, 0x10}):
		n = 8 + 4
	default:
		return 0
	}
	switch {
	case code[n] == 0x76:
		return n + 2
	case code[n] == 0x0f && code[n+1] == 0x86:
		return n + 6
	}
	return 0
}
