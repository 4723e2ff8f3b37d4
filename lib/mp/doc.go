// Package mp runs a function as a goroutine or as a child process. The Backend argument
// selects which:
//
//	proc, err := mp.Start(ctx, mp.Goroutines, AccessX, "Thread")
//	proc, err := mp.Start(ctx, mp.Processes, AccessX, "Process")
//
// It is Python's multiprocessing for Go: processes, pools, queues, locks and shared
// memory. Calls that wait take a context, and return an error instead of hanging.
//
// # Functions
//
// A function needs no registration. Parent and child run the same binary, so a
// top-level function, a method expression, or a function literal that captures nothing
// is sent as the name of its code. A closure that captures variables exists in one
// process only; sending it is an error.
//
// A function takes one argument, optionally with a context.Context before it. It returns
// nothing, an error, a result, or a result and an error. Start takes functions without a
// result, and Go takes functions with a result. The caller of Go gives the type of the
// result, because the compiler cannot infer it from several possible signatures:
//
//	call, err := mp.Go[int](ctx, mp.Processes, Square, 7)
//	y, err := call.Result(ctx)
//
// # Programs
//
// A program must call Init first in main, and in TestMain. In a child, Init runs the
// functions that the parent sends, and does not return. Without Init no child is started,
// since it would run the whole program again and start children itself.
//
// # What a child sees
//
// A child process starts with every package variable at its initial value, as after all
// init functions, and its changes to them stay in the child. A goroutine sees the same
// variable as main. Command copycheck/cmd/copycheck finds functions that are sent to
// processes and read variables that the program changes.
//
// In a notebook, a child runs no cells. A variable whose initializer has no side effects
// is initialized in the child, such as re below. Other variables are zero there, such as
// conn.
//
//	var re = regexp.MustCompile(`[0-9]+`)
//	conn, err := net.Dial("tcp", address)
//
// Pass such a value as the argument, make it in the function, or make it once for each
// process of a pool in its Initializer. When a cell sends a function, the notebook
// names the variables that have other values in the child.
//
// # What can be sent
//
// Arguments, results and values in queues may be of any type, including structs with
// unexported fields. Functions, channels, and types that work within one process, such as
// sync.Mutex, cannot be sent; the error names the field. A func or channel field may be
// nil. A value in an interface arrives with its type, which needs no registration. If a
// type has methods for gob or binary encoding, these are used. Nil and empty slices and
// maps stay different. Pointers are followed: two pointers to one variable arrive as
// pointers to two variables, and a cycle is an error. A time.Time keeps its location and
// loses its monotonic reading. A lock, queue or other object of this package arrives as a
// reference to the same object. Fields named _ are not sent.
//
// One encoded argument or result must be smaller than 2 GiB; a larger one fails with
// ErrTooLarge before any of it is sent. Put large data into an Array.
//
// # Tasks that wait for tasks
//
// A task of a pool of goroutines may give tasks to its own pool, or to another, and
// wait for them. While it waits, another goroutine runs the tasks that it waits for, so that
// the pool does not deadlock. Close returns an error when a task calls it, since it would
// wait for that task.
//
// # Errors of Map
//
// A Map ends at the first error with a *MapError. The MapError lists the tasks that
// failed and those that succeeded; Map returns the available results together with it.
// A pool's TaskTimeout fails tasks that take too long. Progress, an option of Map and
// Stream, reports how many tasks have ended.
//
// # When processes end
//
// A child has its own process group. A process that the child starts stays in the group
// unless it calls setsid or setpgid, and is killed with the child (on Linux also if the
// child ends by itself). A child ends when its parent ends, even if the parent is killed
// or SIGSTOP has stopped the child. A worker that dies is replaced, and other workers run
// the tasks that it had not begun. A worker is also replaced if other code reads from or
// writes to the pipes between it and its parent. An ExitError gives the exit code or
// signal, and the Go runtime's report if the child crashed.
//
// # Sharing
//
// Mutex, RWMutex, Cond and WaitGroup work like those of package sync. Each of their
// methods that wait has a variant with a context: LockContext for Lock. ReentrantMutex
// is Python's RLock. Queue, JoinableQueue, Event, Barrier, Semaphore, Value and Array
// have Python's names; their methods that wait take a context and return an error. The
// zero value works for goroutines, except for Barrier and Array.
//
// Close closes a shared object in every process: calls that wait return ErrClosed, or
// panic with it if they return no error. If every other process that had an object was
// killed or crashed, calls that wait for those processes return ErrPeerDied.
//
// GuardedBy of an Array or a Value names the lock that protects it. CheckLocks turns on
// reports of accesses without that lock.
//
// # Errors
//
// An error that is the initial value of a package variable, such as io.EOF, is the same
// error in every process: errors.Is finds it, also inside an error that wraps it. An error
// that is assigned to a variable later is not the same error in other processes. Other
// errors arrive as copies with their types, for errors.As. An error that cannot be sent
// arrives as a RemoteError. A PanicError has the panic's value.
//
// Shared memory needs resources of the operating system, so NewMutex and the other
// constructors return an error; with Goroutines it is nil unless an argument is
// invalid or too large. On a system where package mp cannot start child processes the error is
// ErrUnsupported. A PanicError, RemoteError or ExitError says how a function failed or
// a child ended; errors.As finds it in the errors of Map, Join and other functions.
//
// # Costs
//
// A child takes about 2 ms to start and 2 MB of memory. A message takes about 5 µs if
// the receiver must be woken. Tasks of a pool are sent in batches: 20 ns for each small
// task. The elements of an Array are not copied at all. The program bench/parallel measures
// these costs. Trace records where the time goes; package lib/exectrace reads the recording.
package mp
