package main

import (
	"runtime"
	"strings"
	"time"
)

// untilBlocked waits until a goroutine with a call of the function is blocked.
func untilBlocked(function string) {
	b := make([]byte, 1<<20)
	for {
		for g := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
			state, calls, _ := strings.Cut(g, "\n")
			if strings.Contains(calls, function) && !strings.Contains(state, "[running") && !strings.Contains(state, "[runnable") {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
}
