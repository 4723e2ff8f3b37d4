package mp

import (
	"os"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// SetCores makes this process believe in a machine with n cores.
func SetCores(n int) {
	machine = func() (int, float64) { return n, float64(n) }
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n)
	}
}

// SetMaxValue lowers the limit of what can be sent.
func SetMaxValue(n int) { protocol.MaxValue = n }

// ReadyWorkers counts a pool's worker processes that have started.
func ReadyWorkers(p *Pool) (n int) {
	in := poolOf(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	for w := range in.workers {
		if w.ready {
			n++
		}
	}
	return n
}

// HelpersOf counts the goroutines to which a pool's slots are lent.
func HelpersOf(p *Pool) (n int) {
	in := poolOf(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.workers) - in.o.workers
}
