package platform

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReleaseFilePages removes pages from the resident memory of this process: those of files that the process cannot
// change, which are code, constants and other private read-only mappings. The system still has these pages in its
// cache of files. When the process uses one of them, the system maps it again, together with the pages around it.
//
// It must not be called while a debugger changes the code.
func ReleaseFilePages() error {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer f.Close()
	ranges, err := unchangedFiles(f)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range ranges {
		errs = append(errs, dontNeed(r.start, r.end))
	}
	return errors.Join(errs...)
}

// ReleaseUnwritten does what ReleaseFilePages does, for the memory of a variable whose initial value is in the
// executable. The process must not have written to the variable, since the variable has its initial value afterwards.
func ReleaseUnwritten(b []byte) error {
	page := uintptr(unix.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	first, end := (start+page-1)&^(page-1), (start+uintptr(len(b)))&^(page-1) // only whole pages, since the pages at the ends may contain other variables
	if first >= end {
		return nil
	}
	return dontNeed(first, end)
}

// dontNeed discards the process's copies of pages, and its changes to them.
func dontNeed(start, end uintptr) error {
	if err := unix.Madvise(Bytes(start, int(end-start)), unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("cannot release the memory from %#x to %#x (madvise): %w", start, end, err)
	}
	return nil
}

// A memoryRange is the addresses from start to before end.
type memoryRange struct{ start, end uintptr }

// unchangedFiles reads /proc/PID/smaps. It returns the private mappings of files that are not writable and whose pages are all
// pages of the file. Relocations and breakpoints make anonymous copies of pages.
func unchangedFiles(smaps io.Reader) ([]memoryRange, error) {
	var found []memoryRange
	var current memoryRange
	candidate := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		line := lines.Bytes()
		name, rest, ok := bytes.Cut(line, []byte(" "))
		switch {
		case !ok:
		case name[len(name)-1] != ':': // the first line of a mapping: addresses, permissions, offset, device, inode, path
			fields := bytes.Fields(rest)
			candidate = len(fields) >= 4 && (string(fields[0]) == "r-xp" || string(fields[0]) == "r--p") && string(fields[3]) != "0"
			if !candidate {
				continue
			}
			if _, err := fmt.Sscanf(string(name), "%x-%x", &current.start, &current.end); err != nil {
				return nil, fmt.Errorf("cannot read the line %q of /proc/self/smaps: %w", line, err)
			}
		case candidate && string(name) == "Anonymous:":
			if string(bytes.TrimSpace(rest)) == "0 kB" {
				found = append(found, current)
			}
		}
	}
	return found, lines.Err()
}
