//go:build !amd64 && !arm64

package goroutine

import (
	"bytes"
	"runtime"
	"strconv"
)

// Current returns the id of the calling goroutine. It parses a traceback, which begins
// with "goroutine 7 [running]:".
func Current() uintptr {
	var buf [64]byte
	f := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(string(f[1]), 10, 64) // 0 if it is not a number; no goroutine has the id 0
	return uintptr(n)
}
