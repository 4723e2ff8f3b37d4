// Package scratch makes temporary folders. If a process is killed, the next process that makes a folder removes the
// folders of the killed process.
package scratch

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A Folder is a temporary folder. Its process holds a lock, which keeps other processes from removing the folder.
type Folder struct {
	Path string
	lock *os.File
}

const (
	pattern  = "perijove-"
	lockName = "lock"
	// lockDelay is how long a process may take to lock a folder that it has made.
	lockDelay = time.Minute
)

// New makes a folder in tmp. It removes folders there whose processes were killed.
func New(tmp string) (*Folder, error) {
	removeStale(tmp)
	dir, err := os.MkdirTemp(tmp, pattern)
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Folder{dir, lock}, nil
}

// Remove removes the folder. It does nothing if f is nil.
func (f *Folder) Remove() error {
	if f == nil {
		return nil
	}
	err := os.RemoveAll(f.Path)
	f.lock.Close()
	return err
}

// Sub makes the folder name in f, and returns its path. If that fails, it returns the path of f. It returns "" if f
// is nil.
func (f *Folder) Sub(name string) string {
	if f == nil {
		return ""
	}
	dir := filepath.Join(f.Path, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return f.Path
	}
	return dir
}

// removeStale removes folders that are not locked. Folders of other users stay.
func removeStale(tmp string) {
	dirs, err := filepath.Glob(filepath.Join(tmp, pattern+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		st, err := os.Lstat(dir)
		if err != nil || !st.IsDir() || time.Since(st.ModTime()) < lockDelay {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		lock.Close()
	}
}
