package mp

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Tid returns the id of the operating system thread that the calling
// goroutine is on. The goroutine may move to another thread at any time unless
// it is locked to this one.
func Tid() int { return int(windows.GetCurrentThreadId()) }

func crashFile() (*os.File, error) { return nil, nil }

func setGroup(*exec.Cmd) {}

func readNow(uintptr, []byte) (int, error) { return 0, ErrUnsupported }

func endsGroup(*os.Process) {}

func killGroup(p *os.Process) error { return p.Kill() }

func endGroup(code int) { os.Exit(code) }

func signalOf(*os.ProcessState) syscall.Signal { return 0 }

func inherited(fd int) *os.File { return os.NewFile(uintptr(fd), "mp") }

func mapLedger(*os.File) ledger { return nil }

func (l ledger) unmap() {}

func widen(*os.File, int) {}

// polled is inherited: a pipe of another process cannot be polled here.
func polled(fd int) *os.File { return inherited(fd) }
