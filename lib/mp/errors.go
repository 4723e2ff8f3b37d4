package mp

import (
	"fmt"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

var (
	// ErrNoEntry is the error of a call that starts a child in a program that did not call Init.
	ErrNoEntry = failure.ErrNoEntry
	// ErrRunning is wrapped by the error of a Join, Result or Wait whose context ended first.
	ErrRunning = failure.ErrRunning
	// ErrUnkillable is the error of Kill and Signal for a goroutine. Kill cancels the
	// goroutine's context; Signal does nothing.
	ErrUnkillable = failure.ErrUnkillable
	// ErrGoexit is the error of a function that ended by runtime.Goexit.
	ErrGoexit = failure.ErrGoexit
	// ErrUnsupported is the error of a call that this operating system does not support.
	ErrUnsupported = failure.ErrUnsupported
	// ErrTooLarge is wrapped by the error of a value whose encoding takes about 2 GiB or more.
	ErrTooLarge = failure.ErrTooLarge
)

// A PanicError is the error of a function that panicked. Its fields are: Value, the
// panic's value (a copy if the function ran in another process, or the same as Text if
// the value cannot be sent); Text, the value as fmt prints it; Stack, the stack of the
// goroutine that panicked; and PID, the id of the process in which it panicked. If
// Value is an error, such as a runtime.Error, the PanicError wraps it.
type PanicError = failure.PanicError

// A RemoteError stands for an error of another process that cannot be sent as it is.
// Examples are an error that contains a channel, and an error whose type is in the standard
// library and has unexported fields, such as an error of fmt.Errorf. Its fields are Text,
// the result of the original's Error method, and Type, the original's type, such as
// "*fmt.wrapError". errors.Is and errors.As find the errors that the original wraps.
type RemoteError = failure.RemoteError

// An ExitError is the error of a child that ended without a result. Its fields are:
// PID, the child's process id; Code, its exit code, or -1 if a signal ended it (package
// mp uses 120 and 121 itself); Signal, or 0 if no signal ended it; Crash, the report of
// the Go runtime if the child crashed, of which Error shows the beginning; and Cause,
// the reason if package mp ended the child, else nil. An ExitError wraps its Cause.
type ExitError = failure.ExitError

// ErrClosed is the error of using a Pool, Queue, lock or other object that was closed.
var ErrClosed = shm.ErrClosed

// ErrFull is the error of a TryPut when the queue is full.
var ErrFull = failure.ErrFull

// ErrPeerDied is the error of a call that waits for other processes, when the last
// other process that had the object was killed or crashed. The object stays usable.
// Later calls wait again, with one exception: Get of an empty Queue fails again after two
// seconds, unless this process has called Put, or has sent the Queue to a process, since
// the death. In the same way Put to a full Queue fails, unless Get was called.
var ErrPeerDied = shm.ErrPeerDied

// nilError is the error of a method that is called on a nil pointer to what.
//
//go:noinline
func nilError(what string) error { return failure.Nil(what) }

// panicNil panics with nilError, for methods that return no error.
//
//go:noinline
func panicNil(what string) { panic(nilError(what)) }

// notMade is the error of a method that is called on a zero value of type what, which does
// not work. maker is the function that makes usable values.
//
//go:noinline
func notMade(what, maker string) error {
	return fmt.Errorf("mp: the %s is a zero value: make it with %s", what, maker)
}
