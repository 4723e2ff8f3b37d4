package scratch

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInMemory: only a file system in memory is used.
func TestInMemory(t *testing.T) {
	for _, parent := range []string{memoryFolder, t.TempDir(), "/proc", "/does/not/exist"} {
		var st unix.Statfs_t
		inMemory := unix.Statfs(parent, &st) == nil && st.Type == unix.TMPFS_MAGIC && st.Bavail*uint64(st.Bsize) >= leastFree
		f := newInMemory(parent)
		if (f != nil) != inMemory {
			t.Errorf("%s is in memory: %v, folder %v", parent, inMemory, f)
		}
		if f == nil {
			continue
		}
		if err := os.WriteFile(f.Sub("p1")+"/s1.o", []byte("object"), 0o600); err != nil {
			t.Error(err)
		}
		if err := f.Remove(); err != nil {
			t.Error(err)
		}
	}
}
