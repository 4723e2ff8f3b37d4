package mphost

import (
	"os"
	"runtime"
)

// In a child the main goroutine, which runs the functions, stays on the main
// thread: its thread id is the process id, and C libraries that require the
// main thread work.
func init() {
	if IsChild() {
		runtime.LockOSThread()
	}
}

// IsChild reports whether this process was started to be a child and has not
// entered RunChild yet.
func IsChild() bool { return os.Getenv("PERIJOVE_MP_CHILD") != "" }
