package mphost

import (
	"os"
	"runtime"
)

// In a child, the main goroutine runs the functions and stays on the main thread: its
// thread id is the process id, and C libraries that require the main thread work.
func init() {
	if IsChild() {
		runtime.LockOSThread()
	}
}

// IsChild reports whether this process was started as a child and has not called
// RunChild yet.
func IsChild() bool { return os.Getenv("PERIJOVE_MP_CHILD") != "" }
