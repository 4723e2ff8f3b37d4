package mphost

import (
	"os"
	"runtime"
)

// Marker is the environment variable that makes a process a child: the number of
// the first of its files, and how many there are. RunChild removes it before it
// calls user code, so that other programs do not inherit it.
const Marker = "PERIJOVE_MP_CHILD"

// In a child the main goroutine, which runs the functions, stays on the main
// thread: its thread id is the process id, and C libraries that insist on the
// main thread work.
func init() {
	if IsChild() {
		runtime.LockOSThread()
	}
}

// IsChild reports whether this process was started to be a child and has not
// entered RunChild yet.
func IsChild() bool { return os.Getenv(Marker) != "" }
