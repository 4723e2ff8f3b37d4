// Package tempfolder makes temporary folders. A process that was killed leaves its folders
// behind; New removes those of the same name.
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

// A Folder is a temporary folder of this process.
type Folder struct {
	Path string
	lock *os.File
}

// New makes a folder in parent, whose name begins with prefix. It removes the folders with
// that prefix whose processes have ended. Errors of removing are ignored, as another user may
// own such a folder.
func New(parent, prefix string) (*Folder, error) {
	removeStale(parent, prefix)
	for {
		path, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			return nil, err
		}
		f, err := own(path)
		if f != nil || err != nil {
			return f, err
		}
	}
}

// own locks a folder that this process has made. It returns nil if another process has
// taken the unlocked folder for a stale one.
func own(path string) (*Folder, error) {
	name := filepath.Join(path, lockName)
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // it was removed
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	locked, err := tryLock(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", name, err), file.Close(), os.RemoveAll(path))
	}
	if !locked || !isAt(file, name) {
		_ = file.Close()
		return nil, nil
	}
	return &Folder{path, file}, nil
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
