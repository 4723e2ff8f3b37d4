package worker

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// attemptsVariable is the environment variable that counts how often reexec has executed the program of the worker
// process again.
const attemptsVariable = "PERIJOVE_WORKER_ATTEMPTS"

// reexec executes the program of the worker process again in the same process, if err says that an address range for
// loaded code is in use. Since Go 1.26, the heap begins at a random address. About once in 30,000 starts, this address
// is in that range. The range must be the same in all processes of an image, so that children have code at the same
// addresses as their parent. reexec returns after five attempts, or for other errors.
func reexec(err error, exec func(path string, args, env []string) error) {
	n := os.Getenv(attemptsVariable)
	if !errors.Is(err, unix.EEXIST) || len(n) >= 5 {
		return
	}
	os.Setenv(attemptsVariable, n+"x")
	err = exec("/proc/self/exe", os.Args, os.Environ())
	fmt.Fprintln(os.Stderr, "perijove worker: cannot execute the worker again:", err)
}

// exitNow ends the process without os.Exit, which is hooked.
func exitNow(code int) {
	for {
		unix.Exit(code)
	}
}

// endGroup kills this process and all processes in its
// process group, which it has started.
func endGroup() {
	_ = unix.Kill(0, unix.SIGKILL)
	exitNow(0)
}

// goexit1 is runtime.goexit1: it ends the calling goroutine without running its
// deferred functions.
var goexit1 func()

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal error: the process that runs the cells cannot start:", err) // the kernel looks for this prefix, which is that of the runtime
		exitNow(3)
	}
	return v
}

// A fileReserve keeps some file descriptors open that cells cannot use. If cells have opened as many files as a process
// may, the worker process can still load code, so that a cell can close files.
type fileReserve struct{ fds []int }

// reservedFiles is more than the number of files that are open at a time while code is loaded.
const reservedFiles = 4

// release closes the reserved descriptors, so that code can be loaded.
func (s *fileReserve) release() {
	for _, fd := range s.fds {
		_ = unix.Close(fd)
	}
	s.fds = s.fds[:0]
}

// fill reserves descriptors again.
func (s *fileReserve) fill() {
	for len(s.fds) < reservedFiles {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return // cells have used the descriptors in the meantime
		}
		s.fds = append(s.fds, fd)
	}
}
