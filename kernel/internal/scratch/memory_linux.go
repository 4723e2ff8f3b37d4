package scratch

import "golang.org/x/sys/unix"

const (
	memoryFolder = "/dev/shm"
	// leastFree is the free space, in bytes, that a file system in memory must have. In containers, it often
	// has 64 MB.
	leastFree = 48 << 20
)

// NewInMemory makes a folder in a file system that is in memory. There it costs less to create a file than on a disk.
// NewInMemory returns nil if no such file system has enough free space.
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
