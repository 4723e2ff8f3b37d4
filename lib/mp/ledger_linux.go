package mp

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// mapLedger maps the start of a crashFile; nil means that there is none.
func mapLedger(f *os.File) ledger {
	b, err := unix.Mmap(int(f.Fd()), 0, ledgerSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return b
}

func (l ledger) unmap() {
	if l != nil {
		_ = unix.Munmap(l)
	}
}

// What debug.SetCrashOutput writes lacks the line that says why: the runtime
// prints "fatal error: ..." before it counts as dying. So a child notes that line
// in the page that it shares with its parent.
const (
	fatalAt   = 2048 // in the page
	fatalSize = ledgerSize - fatalAt
)

// fatalLine is what the child has noted, or "".
func fatalLine(page []byte) string {
	if len(page) < ledgerSize {
		return ""
	}
	line, _, _ := bytes.Cut(page[fatalAt:], []byte{0})
	return string(line)
}
