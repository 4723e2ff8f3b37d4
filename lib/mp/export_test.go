package mp

import (
	"os"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// SetCores makes this process believe in a machine with n cores.
func SetCores(n int) {
	pool.Machine = func() (int, float64) { return n, float64(n) }
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n)
	}
}

// SetMaxValue lowers the limit of what can be sent.
func SetMaxValue(n int) { protocol.MaxValue = n }

// ReadyWorkers counts a pool's worker processes that have started.
func ReadyWorkers(p *Pool) int { return poolOf(p).Ready() }

// HelpersOf counts the goroutines to which a pool's slots are lent.
func HelpersOf(p *Pool) int { return poolOf(p).Helpers() }
