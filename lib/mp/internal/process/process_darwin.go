package process

import (
	"os"
	"syscall"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

func wakeOrphan(*syscall.SysProcAttr) {}

// crashFile makes a temporary file and removes its name.
func crashFile() (*os.File, error) {
	f, err := os.CreateTemp("", "mp-crash")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	_, err = f.Seek(protocol.BudgetPageSize, 0)
	return f, err
}

// endsGroup does nothing. On Linux, waitid lets the parent kill the group before the child
// is reaped. Here the parent learns that the child has ended only when it is reaped, and
// then the group's id may belong to others. Processes that a child has
// started in its group end with the child only if the child is killed.
func endsGroup(*os.Process) {}

func widen(*os.File, int) {}
