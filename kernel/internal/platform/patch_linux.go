package platform

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// ReplaceCode overwrites this process's code at addr. It copies whole pages, changes the copy,
// sets its protection, and moves it into place with mremap. So no page is ever both
// writable and executable, and a thread that runs the code at that time waits for the move.
func ReplaceCode(addr uintptr, code []byte) error {
	err := replace(addr, code, unix.PROT_READ|unix.PROT_EXEC)
	FlushCode(addr, len(code))
	return err
}

// ReplaceConstant overwrites constant data of this process in the same way as ReplaceCode.
func ReplaceConstant(addr uintptr, data []byte) error { return replace(addr, data, unix.PROT_READ) }

func replace(addr uintptr, code []byte, prot int) error {
	page := uintptr(unix.Getpagesize())
	from := addr &^ (page - 1)
	size := (addr + uintptr(len(code)) - from + page - 1) &^ (page - 1)
	mem, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANONYMOUS|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("cannot map memory for a copy of code (mmap): %w", err)
	}
	copy(Bytes(uintptr(mem), int(size)), Bytes(from, int(size)))
	copy(Bytes(uintptr(mem)+addr-from, len(code)), code)
	if err := unix.Mprotect(Bytes(uintptr(mem), int(size)), prot); err != nil {
		return fmt.Errorf("cannot set the protection of the changed code (mprotect): %w", err)
	}
	_, _, errno := unix.Syscall6(unix.SYS_MREMAP, uintptr(mem), size, size, unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, from, 0)
	if errno != 0 {
		return fmt.Errorf("cannot move the changed code to its address (mremap): %w", errno)
	}
	return nil
}
