package mp

import (
	"runtime"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/pool"
)

// A Pool runs tasks on a fixed number of workers, goroutines or child
// processes, that stay between uses. The zero Pool runs them on goroutines,
// one for each core. Tasks come by Map, Stream, StreamUnordered, ForEach and
// Submit, from any number of goroutines.
//
// Short tasks travel in batches whose size follows from how long tasks take.
// A batch's unstarted tasks move to another worker that has nothing to do, and
// finished ones are reported within milliseconds though a later one takes long.
//
// When a worker process dies, a new one takes its place, and the tasks that it
// had not begun go to others. Those it had begun fail with an *ExitError, or
// run again if the pool has Retries; so may others that it had finished in its
// last two milliseconds.
type Pool struct {
	once sync.Once
	in   any // *pool: what a cell can reach from here it compiles
}

// NewPool starts a pool. Without the option Workers there is one for each core
// that this process may use.
func NewPool(b Backend, opts ...PoolOption) (*Pool, error) {
	o, err := poolOptions(b, opts)
	if err != nil {
		return nil, err
	}
	processes, err := isShared(b)
	if err != nil {
		return nil, err
	}
	in, err := pool.New(processes, o.Options)
	if err != nil {
		return nil, err
	}
	p := &Pool{in: in}
	p.once.Do(func() {})
	runtime.AddCleanup(p, (*pool.Pool).Drop, in)
	return p, nil
}

func poolOf(p *Pool) *pool.Pool {
	if p == nil {
		panic(nilError("Pool"))
	}
	p.once.Do(func() {
		in, _ := pool.New(false, newOptions().Options) // goroutines cannot fail to start
		p.in = in
		runtime.AddCleanup(p, (*pool.Pool).Drop, in)
	})
	return p.in.(*pool.Pool)
}

// Close waits until the tasks that the pool has are done, and ends its
// workers. Tasks that come later fail with ErrClosed; a stream takes no more
// from its sequence, and ends with ErrClosed after the results that it has. A
// task that calls Close gets an error. So does who closes a pool whose Stdout or
// Stderr could not be written. A pool that is no longer referred to is closed
// by itself.
func (p *Pool) Close() error {
	if p == nil {
		return nilError("Pool")
	}
	return poolOf(p).Close()
}

// Kill ends the workers at once. Tasks that are not done fail with ErrClosed.
// Goroutines cannot be killed: their contexts are cancelled and Kill waits, but
// for the task that calls it.
func (p *Pool) Kill() {
	poolOf(p).Kill()
}

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int { return poolOf(p).Workers() }

// String tells what the pool consists of and has done.
func (p *Pool) String() string {
	if p == nil {
		return "<nil>"
	}
	return poolOf(p).String()
}

// Stats are counts since the pool was made.
type Stats struct {
	Done     int // tasks that ended, with or without an error
	Retried  int // tasks that began again because their worker died
	Restarts int // worker processes that were started in place of another
}

// Stats returns the pool's counts.
func (p *Pool) Stats() Stats { return Stats(poolOf(p).Stats()) }

// Cores returns how many processors this process can really keep busy, at
// least 1: those that its affinity mask allows, no more than the quota of any
// cgroup above it, and no more than GOMAXPROCS, which a pool sets for its
// workers so that pools within them do not crowd each other.
func Cores() int { return pool.Cores() }
