package goruntime

import (
	"encoding/binary"
	"testing"
)

func TestStackCheck(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		want int
	}{
		"short jump":            {[]byte{0x49, 0x3b, 0x66, 0x10, 0x76, 0x20}, 6},
		"long jump":             {[]byte{0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 1, 2, 3, 4}, 10},
		"frame of 8 bits":       {[]byte{0x4c, 0x8d, 0x64, 0x24, 0x80, 0x4d, 0x3b, 0x66, 0x10, 0x76, 1}, 11},
		"frame of 32 bits":      {[]byte{0x4c, 0x8d, 0xa4, 0x24, 0, 1, 2, 3, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 1, 2, 3, 4}, 18},
		"none":                  {[]byte{0x55, 0x48, 0x89, 0xe5, 0, 0}, 0},
		"comparison, no branch": {[]byte{0x49, 0x3b, 0x66, 0x10, 0x90, 0x90}, 0},
	} {
		code := append(c.code, make([]byte, 24)...)
		if got := stackCheck(code); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

func TestJump(t *testing.T) {
	for _, to := range []uintptr{0x401000, 0x3ff000, 0x400005} {
		b := jump(0x400000, to)
		if got := 0x400000 + 5 + int64(int32(binary.LittleEndian.Uint32(b[1:]))); b[0] != 0xe9 || got != int64(to) {
			t.Errorf("a jump to %#x goes to %#x: % x", to, got, b)
		}
	}
}
