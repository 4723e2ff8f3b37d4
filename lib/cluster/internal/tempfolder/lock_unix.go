//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package tempfolder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const (
	noFollow = unix.O_NOFOLLOW
	canLock  = true
)

// tryLock locks the file if no other process has locked it, and reports whether it did.
func tryLock(file *os.File) (bool, error) {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
