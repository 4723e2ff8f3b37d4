package mp

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Tid returns the id of the operating system thread that the calling
// goroutine is on. The goroutine may move to another thread at any time unless
// it is locked to this one.
func Tid() int { return unix.Gettid() }

// executable is this program's own file, even if it was replaced or deleted.
func executable() (string, error) { return "/proc/self/exe", nil }

// crashFile makes a file without a name; it is gone when nobody has it open.
func crashFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("mp-crash", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("mp: cannot make a file for crash reports: %w", err)
	}
	return os.NewFile(uintptr(fd), "mp-crash"), nil
}
