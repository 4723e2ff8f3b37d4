package session

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A scratch is a folder for generated sources and objects. Its kernel holds the lock, which
// keeps other kernels from removing the folder.
type scratch struct {
	path string
	lock *os.File
}

const (
	scratchPattern = "perijove-"
	scratchLock    = "lock"
	// scratchLockDelay is how long a kernel may take to lock a folder that it has made.
	scratchLockDelay = time.Minute
)

// newScratch makes a scratch folder in tmp and removes those of kernels that were killed.
func newScratch(tmp string) (*scratch, error) {
	removeStale(tmp)
	dir, err := os.MkdirTemp(tmp, scratchPattern)
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &scratch{dir, lock}, nil
}

func (s *scratch) remove() error {
	err := os.RemoveAll(s.path)
	s.lock.Close()
	return err
}

// removeStale removes scratch folders that are not locked. Those of other users
// stay.
func removeStale(tmp string) {
	dirs, err := filepath.Glob(filepath.Join(tmp, scratchPattern+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		st, err := os.Lstat(dir)
		if err != nil || !st.IsDir() || time.Since(st.ModTime()) < scratchLockDelay {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		lock.Close()
	}
}
