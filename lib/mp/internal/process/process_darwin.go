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

// endsGroup does nothing: without waitid there is no time at which killing the group is
// safe. Processes that a child has started in its group end with it only if the child
// is killed.
func endsGroup(*os.Process) {}

func widen(*os.File, int) {}
