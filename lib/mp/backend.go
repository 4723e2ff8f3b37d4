package mp

import (
	"context"
	"fmt"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Init prepares this program to start children. Call it first in main; in tests, first
// in TestMain. In a child Init does not return: it runs the functions that the parent
// sends and then exits the process.
func Init() {
	h := mphost.Program()
	if mphost.IsChild() {
		mphost.RunChild(h)
	}
	mphost.Set(h)
}

// Trace calls f and records what this process and its children do meanwhile: which
// goroutines run, which wait, and for what; tasks of pools, locks, values in queues and
// pipes. It makes folder and writes a manifest and one file per process into it. It removes
// the files of an earlier recording from the folder: to keep a recording, use another folder
// for the next one. Package lib/exectrace reads the folder and package lib/exectrace/chart
// draws it; go tool trace shows each file.
//
// The recording of a child begins with the first tasks that it gets after Trace was
// called. If a child is killed, the last part of its trace, up to a second, is lost; the
// manifest says so.
//
// Trace returns the error of f. If f succeeds, Trace returns the error of writing the
// recording. If the folder cannot be written, or this process is already being traced,
// Trace returns an error and does not call f. If f panics or calls runtime.Goexit, the
// recording ends, too.
func Trace(folder string, f func() error) (err error) {
	if err := tracing.Clear(folder); err != nil {
		return err
	}
	if err := tracing.Start(folder); err != nil {
		return err
	}
	defer func() {
		if e := tracing.Stop(); err == nil {
			err = e
		}
	}()
	tracing.Root()
	return f()
}

// A Lock is a *Mutex, a *RWMutex or a *ReentrantMutex, which can guard an Array or a Value.
type Lock interface {
	sync.Locker
	guard() guard.Lock
}

func guardOf(l Lock) *guard.Guard {
	if l == nil {
		panicNil("Lock")
	}
	return guard.New(l.guard())
}

// CheckLocks makes this process, and the children that get guarded objects from it,
// check each access to an Array or Value: the goroutine must hold the lock that GuardedBy has named. An
// access without that lock is reported on standard error, with the goroutine's stack and the lock, once for
// each line; the program continues. The environment variable PERIJOVE_MPCHECK=1 does the same.
//
// The checks cover At, Set and All of an Array, and the methods of a Value. They do not
// cover the Slice of an Array. A lock that was taken before the checks began counts as held
// by every goroutine of the process. A read lock does not: call CheckLocks while no
// goroutine holds a read lock. Locks are slower while accesses are checked.
func CheckLocks(check bool) { guard.Set(check) }

// A Backend is where a function runs: in a goroutine or in a child process.
type Backend int

const (
	// Goroutines runs functions in this process: memory is shared, nothing is
	// copied or encoded, and a goroutine cannot be killed.
	Goroutines Backend = iota
	// Processes runs functions in child processes: arguments and results are
	// copied, variables are not shared, and a child can be killed.
	Processes
)

// String returns "goroutines" or "processes".
func (b Backend) String() string {
	switch b {
	case Goroutines:
		return "goroutines"
	case Processes:
		return "processes"
	}
	return "unknown backend"
}

// isShared reports whether objects for b are shared by processes. An invalid b is an error.
//
//go:noinline
func isShared(b Backend) (bool, error) {
	if b != Goroutines && b != Processes {
		return false, unknownBackend(b)
	}
	return b == Processes, nil
}

func unknownBackend(b Backend) error {
	return fmt.Errorf("mp: the backend %d is unknown: use mp.Goroutines or mp.Processes", int(b))
}

// makeHandle makes an object for b and stores it in h.
func makeHandle(h *object.Handle, b Backend, size int) error {
	shared, err := isShared(b)
	if err != nil {
		return err
	}
	return h.Make(shared, size)
}

// A Target is a function that Start takes: without a result, with or without a context
// and an error.
type Target[A any] interface {
	~func(A) | ~func(A) error | ~func(context.Context, A) | ~func(context.Context, A) error
}

// A Func is a function with a result, with or without a context and an error.
type Func[A, R any] interface {
	~func(A) R | ~func(A) (R, error) | ~func(context.Context, A) R | ~func(context.Context, A) (R, error)
}

// None is the type of the argument of a function that needs no argument.
type None = struct{}
