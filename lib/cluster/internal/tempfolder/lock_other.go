//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package tempfolder

import "os"

const (
	noFollow = 0
	canLock  = false
)

// tryLock reports that the process owns a file that it has just made. It never reports that
// another process has ended, so that stale folders stay.
func tryLock(file *os.File) (bool, error) {
	st, err := file.Stat()
	if err != nil || st.Size() > 0 {
		return false, err
	}
	_, err = file.WriteString("locked")
	return err == nil, err
}
