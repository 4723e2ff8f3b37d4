package protocol

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// MapBudgetPage maps the first page of f, or returns nil if that fails.
func MapBudgetPage(f *os.File) BudgetPage {
	b, err := unix.Mmap(int(f.Fd()), 0, BudgetPageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return b
}

func (l BudgetPage) Unmap() {
	if l != nil {
		_ = unix.Munmap(l)
	}
}

// The report of debug.SetCrashOutput lacks the line "fatal error: ...", which the
// runtime prints too early. So a child records that line in the page that it shares
// with its parent.
const (
	FatalAt   = 2048 // offset of the line in the page
	FatalSize = BudgetPageSize - FatalAt
)

// FatalLine returns the line "fatal error: ..." that the child recorded in page, or "".
func FatalLine(page []byte) string {
	if len(page) < BudgetPageSize {
		return ""
	}
	line, _, _ := bytes.Cut(page[FatalAt:], []byte{0})
	return string(line)
}
