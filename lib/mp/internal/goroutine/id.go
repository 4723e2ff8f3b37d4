package goroutine

import (
	"bytes"
	"runtime"
	"strconv"
)

// ID returns the id of the calling goroutine, as tracebacks show it. It parses a traceback,
// since Go has no other way to get the id.
func ID() uint64 {
	var buf [64]byte
	b := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(b, []byte(" "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("mp: cannot tell which goroutine this is: its stack trace has no number")
	}
	return id
}
