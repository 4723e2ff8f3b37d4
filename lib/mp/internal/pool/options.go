package pool

import (
	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/process"
)

// Options are the options for making a pool.
type Options struct {
	process.Options
	Retries       int // how often a task may begin again after its worker has died
	TasksPerChild int // number of tasks after which a worker is replaced; 0 means no limit
	TaskTimeout   call.Timeout
	Initializer   *Initializer // the call that each worker runs first, or nil
	Remote        Remote       // runs the tasks elsewhere; nil for goroutines and child processes
}
