package mp

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// mapBudgetPage maps the start of a crashFile; nil means that there is none.
func mapBudgetPage(f *os.File) budgetPage {
	b, err := unix.Mmap(int(f.Fd()), 0, budgetPageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return b
}

func (l budgetPage) unmap() {
	if l != nil {
		_ = unix.Munmap(l)
	}
}

// What debug.SetCrashOutput writes lacks the line that says why: the runtime
// prints "fatal error: ..." before it counts as dying. So a child notes that line
// in the page that it shares with its parent.
const (
	fatalAt   = 2048 // in the page
	fatalSize = budgetPageSize - fatalAt
)

// fatalLine is what the child has noted, or "".
func fatalLine(page []byte) string {
	if len(page) < budgetPageSize {
		return ""
	}
	line, _, _ := bytes.Cut(page[fatalAt:], []byte{0})
	return string(line)
}
