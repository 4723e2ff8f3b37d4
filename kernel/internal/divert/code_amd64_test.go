package divert

import (
	"encoding/binary"
	"testing"
	"unsafe"
)

func TestAppendCall(t *testing.T) {
	const ret, halt = 0x1122334455667788, 0x0102030405060708
	b := appendCall(nil, ret, halt)
	if len(b) != divertSize {
		t.Fatalf("%d bytes, divertSize is %d", len(b), divertSize)
	}
	if binary.LittleEndian.Uint64(b[2:]) != ret || binary.LittleEndian.Uint64(b[14:]) != halt {
		t.Errorf("% x has not both addresses", b)
	}
	if b[pushed-2] != 0x41 || b[pushed-1] != 0x53 { // PUSHQ R11
		t.Errorf("the stack pointer does not move at %d: % x", pushed, b[:pushed])
	}
}

func TestCalledBefore(t *testing.T) {
	code := [16]byte{0x90, 0xe8, 0x10, 0, 0, 0, 0x90} // NOP; CALL +16
	at := uintptr(unsafe.Pointer(&code[0]))
	if got := calledBefore(at + 6); got != at+6+16 {
		t.Errorf("the call goes to %+d", int64(got-at))
	}
	if got := calledBefore(at + 7); got != 0 {
		t.Errorf("a call is found where there is none: %#x", got)
	}
}
