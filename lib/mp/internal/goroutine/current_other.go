//go:build !amd64 && !arm64

package mp

import (
	"bytes"
	"runtime"
	"strconv"
)

// Current identifies the calling goroutine: "goroutine 7 [running]:".
func Current() uintptr {
	var buf [64]byte
	f := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(string(f[1]), 10, 64) // 0 is nobody
	return uintptr(n)
}
