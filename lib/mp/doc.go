// Package mp runs the same function as a goroutine or as a child process, by
// changing one word:
//
//	proc, err := mp.Start(ctx, mp.Goroutines, AccessX, "Thread")
//	proc, err := mp.Start(ctx, mp.Processes, AccessX, "Process")
//
// It is Python's multiprocessing for Go: processes, pools, queues, locks and
// shared memory, with contexts and errors instead of hangs.
//
// # Functions
//
// A function needs no registration. Parent and child run the same binary, so
// a top-level function, a method expression, or a function literal that
// captures nothing is sent as the name of its code. A closure that captures
// variables exists in one process only and is refused.
//
// Functions take one argument, before it a context.Context if they like, and
// return nothing, an error, a result, or a result and an error. Start takes
// those without a result, Go those with one; the result's type is given
// explicitly, since Go cannot infer it through a choice of shapes:
//
//	call, err := mp.Go[int](ctx, mp.Processes, Square, 7)
//	y, err := call.Result(ctx)
//
// # Programs
//
// A program calls Init first thing in main, and in TestMain. In a child Init
// does not return. Without it no child is ever started: a child would run the
// whole program again, and start children itself.
//
// # What a child sees
//
// A child process starts with every package variable at its initial value, as
// after all init functions, and changes to them stay in the child. A goroutine
// sees the same variable as main. Command copycheck/cmd/copycheck finds
// functions that are sent to processes and read what the program changes.
//
// In a notebook no cell runs in a child. Variables whose initializers have no
// effects begin there as they were declared, as re does; conn is nil:
//
//	var re = regexp.MustCompile(`[0-9]+`)
//	conn, err := net.Dial("tcp", address)
//
// Pass such a value as the argument, make it in the function, or once for each
// process of a pool in its Initializer. Each cell that sends a function names the
// variables that it will not see as they are.
//
// # What can be sent
//
// Arguments, results and values in queues may be of any type, with unexported
// fields, but for functions, channels, and what works within one process, such
// as a sync.Mutex; the error names the field. A func or channel field may be nil.
// What an interface holds arrives with its type, which needs no registration. A
// type's own methods for gob or binary encoding are used. Nil and empty slices and
// maps stay apart. Pointers are followed, so two to one variable arrive as two
// variables, and a cycle is an error. A time.Time keeps its location and loses its
// monotonic reading. The types of this package arrive as the same lock, queue or
// memory.
//
// One encoded argument or result is less than 2 GiB; a larger one is refused with
// ErrTooLarge before anything of it is sent. Large data belongs in an Array.
//
// # Tasks that wait for tasks
//
// A task of a pool of goroutines may hand tasks to its own pool, or to another, and
// wait for them: its slot is lent meanwhile to the tasks that are waited for. Only
// Close refuses to be called by a task, for which it would wait.
//
// # What becomes of a failed Map
//
// A Map ends at the first error with a *MapError, which tells the tasks that failed
// and those that succeeded, and returns the results that there are beside it. A
// pool's TaskTimeout fails tasks that take too long. Progress, an argument of Map and
// Stream, tells how many tasks have ended.
//
// # When processes end
//
// A child has its own process group. What it starts stays in the group, unless that
// calls setsid or setpgid, and ends with it (Linux: also where the child ends by
// itself), and the child ends with its parent, also where that is killed or the
// child is stopped. A worker that dies is replaced, and the tasks that it had not
// begun go to others. The same happens to one that something else than this package
// has written to or read from the pipes of. An ExitError says how a child ended, and
// the runtime's reason if it crashed.
//
// # Sharing
//
// Mutex, RWMutex, Cond and WaitGroup are as those of package sync, and have beside
// each method that waits one with a context: Lock and LockContext. ReentrantMutex is
// Python's RLock. Queue, JoinableQueue, Event, Barrier, Semaphore, Value and Array have
// Python's names; what waits there takes a context and returns an error. The zero
// value of all but Barrier and Array is one for goroutines.
//
// Close ends a shared object for all who have it: what waits returns ErrClosed, or
// panics with it where there is no error to return. When every other process that had
// an object was killed or crashed, what waits for them returns ErrPeerDied.
//
// # Errors
//
// An error that a package variable was initialized with, such as io.EOF or the
// program's own, is the same one in every process: errors.Is finds it, also where
// it is wrapped. An error that such a variable was given later is not. Other errors
// arrive as copies with their types, for errors.As, and those that cannot be sent
// so, as a RemoteError. A PanicError has the panic's value.
//
// What processes share lies in memory that the system must give: so NewMutex and
// its kin have an error, which with Goroutines is nil. A system on which package
// mp has no child processes gives ErrUnsupported. How a function failed, or a
// child ended, says a PanicError, RemoteError or ExitError; errors.As finds them
// in what Map, Join and the others return.
//
// # What it costs
//
// A child takes some 2 ms to start, 2 MB of memory, and a message
// about 5 µs if its receiver has to be woken. Tasks of a pool travel in
// batches: 20 ns each for small ones. Large data belongs in an Array, which is
// not copied at all. The program bench/parallel measures it.
package mp
