package mp

import (
	"errors"
	"runtime"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// A Pool runs tasks on a fixed number of workers, which are goroutines or child
// processes and stay between calls. The zero Pool uses goroutines, one for each core.
// Map, ForEach, Stream, StreamUnordered and Submit give tasks to a Pool; they may be
// called concurrently.
//
// Short tasks are sent in batches; the size of a batch depends on how long tasks take.
// If a worker is idle, it takes tasks that have not begun from the batch of another.
// Finished tasks are reported within milliseconds, even if a later task of the batch
// takes long.
//
// When a worker process dies, a new one replaces it, and other workers run the tasks
// that it had not begun. Tasks that it had begun fail with an *ExitError, or run again
// if the pool has Retries. The same holds for tasks that it had finished but not reported:
// at most the tasks of its last two milliseconds.
type Pool struct {
	once sync.Once
	in   any // *pool.Pool; untyped, since a notebook cell compiles every type that it can reach
}

// NewPool starts a pool, with Cores() workers unless the option Workers is given.
func NewPool(b Backend, opts ...PoolOption) (*Pool, error) {
	o, err := poolOptions(b, opts)
	if err != nil {
		return nil, err
	}
	processes, err := isShared(b)
	if err != nil {
		return nil, err
	}
	return makePool(processes, o.Options)
}

func makePool(processes bool, o pool.Options) (*Pool, error) {
	in, err := pool.New(processes, o)
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

// Close waits until the pool's tasks are done, and ends its workers. Later tasks fail
// with ErrClosed. A Stream takes no more values from its sequence: it yields the
// results of the tasks that it has, and then ends with ErrClosed. Close returns an
// error if a task of the pool calls it, or if a write to the pool's Stdout or Stderr
// failed. A Pool that is no longer reachable is closed automatically.
func (p *Pool) Close() error {
	if p == nil {
		return nilError("Pool")
	}
	return poolOf(p).Close()
}

// Kill kills the workers at once. Tasks that are not done fail with ErrClosed.
// Goroutines cannot be killed: Kill cancels their contexts and waits until they return,
// unless a task of the pool calls it.
func (p *Pool) Kill() {
	poolOf(p).Kill()
}

// Workers returns how many workers the pool has.
func (p *Pool) Workers() int { return poolOf(p).Workers() }

// String returns the number and kind of the workers, and how many tasks have ended.
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

// Cores returns how many processors this process can keep busy, at least 1. It is
// limited by the affinity mask, the CPU quotas of all cgroups that contain this
// process, and GOMAXPROCS. A pool divides the processors among its worker processes by
// setting their GOMAXPROCS.
func Cores() int { return pool.Cores() }

// NewRemotePool returns a pool whose tasks a Runner runs, at most inflight of them at a time.
// start makes the Runner; it gets the options of opts. The option Workers is refused, because
// the Runner has its workers already. Package cluster calls NewRemotePool: see package mpremote.
func NewRemotePool(inflight int, opts []PoolOption, start func(*mpremote.PoolOptions) (mpremote.Runner, error)) (*Pool, error) {
	given, err := remoteOptions(opts)
	if err != nil {
		return nil, err
	}
	r, err := start(given)
	if err != nil {
		return nil, err
	}
	o := newOptions().Options
	o.Workers = inflight
	if o.Remote, err = mpremote.Remote(r); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return makePool(false, o)
}
