package goroutine

import "golang.org/x/sys/windows"

// ThreadID returns the id of the operating system thread that the calling
// goroutine is on.
func ThreadID() int { return int(windows.GetCurrentThreadId()) }
