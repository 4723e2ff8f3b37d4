package goruntime

import (
	"bytes"
	"encoding/binary"
)

// maxStackCheck is at least the length of a stack check, in bytes.
const maxStackCheck = 24

// stackCheck returns the length in bytes of the stack check at the beginning of a function, or 0 if there is
// none. A stack check is CMPQ SP, 16(R14) and a conditional jump. If the frame is large, it is LEAQ
// -x(SP), R12 and the same with R12 in place of SP.
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

// jump returns code that jumps to the address to when it is placed at the address at.
func jump(at, to uintptr) []byte {
	code := []byte{0xe9, 0, 0, 0, 0} // JMP
	binary.LittleEndian.PutUint32(code[1:], uint32(int32(int64(to)-int64(at)-5)))
	return code
}
