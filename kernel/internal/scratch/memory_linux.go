package scratch

import "golang.org/x/sys/unix"

const (
	memoryFolder = "/dev/shm"
	// leastFree is the free space of a file system in memory, in bytes, from which on it is used. Containers
	// often have 64 MB.
	leastFree = 48 << 20
)

// NewInMemory makes a folder in a file system that is in memory, where it costs less to create a file than on
// a disk. It returns nil if there is none, or little space.
func NewInMemory() *Folder { return newInMemory(memoryFolder) }

func newInMemory(parent string) *Folder {
	var st unix.Statfs_t
	if err := unix.Statfs(parent, &st); err != nil || st.Type != unix.TMPFS_MAGIC || st.Bavail*uint64(st.Bsize) < leastFree {
		return nil
	}
	f, err := New(parent)
	if err != nil {
		return nil
	}
	return f
}
