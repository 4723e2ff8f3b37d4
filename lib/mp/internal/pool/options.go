package pool

import (
	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/process"
)

// Options are how a pool is made.
type Options struct {
	process.Options
	Retries       int // how often a task may begin again after its worker died
	TasksPerChild int // after which a worker is replaced; 0 is no limit
	TaskTimeout   call.Timeout
	Initializer   *Initializer // nil if there is none
}
