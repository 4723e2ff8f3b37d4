// Package tempfolder makes temporary folders. A process that was killed leaves its folders
// behind; New removes such folders if they have the same prefix.
package tempfolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// lockName is the name of the file in a folder that its process holds locked. The system
// releases the lock when the process ends, however it ends.
const lockName = "lock"

// ErrLocked is the error of Lock if another process has locked the folder.
var ErrLocked = errors.New("another process has locked the folder")

// A Folder is a temporary folder of this process.
type Folder struct {
	Path string
	lock *os.File
}

// New makes a folder in parent, whose name begins with prefix. It removes the folders with
// that prefix whose processes have ended. If it cannot remove a folder, it ignores the error,
// since another user may own that folder.
func New(parent, prefix string) (*Folder, error) {
	removeStale(parent, prefix)
	for {
		path, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			return nil, err
		}
		f, err := own(path)
		switch {
		case f != nil:
			return f, nil
		case err != nil && !errors.Is(err, os.ErrNotExist): // a missing file means that the folder was removed as a stale one
			return nil, errors.Join(err, os.RemoveAll(path))
		}
	}
}

// own locks a folder. It returns nil if another process has locked it, or has removed it
// because it was not locked.
func own(path string) (*Folder, error) {
	name := filepath.Join(path, lockName)
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	locked, err := tryLock(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock the file %s: %w", name, err), file.Close())
	}
	if !locked || !isAt(file, name) {
		_ = file.Close()
		return nil, nil
	}
	return &Folder{path, file}, nil
}

// Lock locks a folder that stays when the process ends, and makes the folder if it is missing.
// It returns ErrLocked if another process has locked the folder. On systems without locks of
// files it returns a nil Folder.
func Lock(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	if !canLock {
		return nil, nil
	}
	f, err := own(path)
	if f == nil && err == nil {
		err = ErrLocked
	}
	return f, err
}

// Unlock unlocks the folder. On a nil Folder it does nothing.
func (f *Folder) Unlock() error {
	if f == nil {
		return nil
	}
	return f.lock.Close()
}

// isAt reports whether name still names the open file.
func isAt(file *os.File, name string) bool {
	have, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(name)
	return err == nil && os.SameFile(have, now)
}

// Remove removes the folder. On a nil Folder it does nothing.
func (f *Folder) Remove() error {
	if f == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(f.Path), f.lock.Close())
}

// removeStale removes the folders whose locks no process holds. A folder without a lock
// file stays: it may just have been made.
func removeStale(parent, prefix string) {
	paths, err := filepath.Glob(filepath.Join(parent, prefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		if st, err := os.Lstat(path); err != nil || !st.IsDir() {
			continue
		}
		file, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|noFollow, 0)
		if err != nil {
			continue
		}
		if locked, err := tryLock(file); locked && err == nil {
			_ = os.RemoveAll(path)
		}
		_ = file.Close()
	}
}
