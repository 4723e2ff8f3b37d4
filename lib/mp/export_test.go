package mp

import (
	"os"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// SetCores makes Cores behave as on a machine with n cores.
func SetCores(n int) {
	pool.Machine = func() (int, float64) { return n, float64(n) }
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n)
	}
}

// SetMaxValue sets the largest size of a value that can be sent, in bytes.
func SetMaxValue(n int) { protocol.MaxValue = n }

// ReadyWorkers returns the number of a pool's worker processes that have started.
func ReadyWorkers(p *Pool) int { return poolOf(p).Ready() }

// HelpersOf returns the number of a pool's helpers.
func HelpersOf(p *Pool) int { return poolOf(p).Helpers() }

// SetLockReport makes f receive the reports of CheckLocks; nil restores standard error.
func SetLockReport(f func(string)) { guard.SetReport(f) }
