package goroutine

import "golang.org/x/sys/windows"

// ThreadID returns the id of the operating system thread that runs the calling
// goroutine.
func ThreadID() int { return int(windows.GetCurrentThreadId()) }
