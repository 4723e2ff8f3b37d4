package platform

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// MapFile maps a file into memory, read-only. It returns an error if the file is empty.
func MapFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() == 0 {
		return nil, fmt.Errorf("the file %s is empty", file)
	}
	return unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
}
