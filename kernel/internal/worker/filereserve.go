package worker

import "golang.org/x/sys/unix"

// A fileReserve is file descriptors that nobody else gets: code can still be loaded,
// so that a cell can close files, when cells have opened all that a process may.
type fileReserve struct{ fds []int }

// reservedFiles is how many files are open at a time while code is loaded, and some.
const reservedFiles = 4

// release makes room for what loads code.
func (s *fileReserve) release() {
	for _, fd := range s.fds {
		_ = unix.Close(fd)
	}
	s.fds = s.fds[:0]
}

// fill takes them back.
func (s *fileReserve) fill() {
	for len(s.fds) < reservedFiles {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return // somebody has used them meanwhile
		}
		s.fds = append(s.fds, fd)
	}
}
