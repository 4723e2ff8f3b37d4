package mp

import (
	"fmt"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

var (
	// ErrNoEntry is the error of starting a child from a program that did not call Init.
	ErrNoEntry = failure.ErrNoEntry
	// ErrRunning is in the error of a Join whose context ended first.
	ErrRunning = failure.ErrRunning
	// ErrUnkillable is the error of Kill and Signal for a goroutine, whose
	// context Kill cancels all the same.
	ErrUnkillable = failure.ErrUnkillable
	// ErrGoexit is the error of a function that ended by runtime.Goexit.
	ErrGoexit = failure.ErrGoexit
	// ErrUnsupported is the error of what this operating system does not offer.
	ErrUnsupported = failure.ErrUnsupported
	// ErrTooLarge is in the error of an argument or result that takes 2 GiB or more
	// when encoded.
	ErrTooLarge = failure.ErrTooLarge
)

// A PanicError is the error of a function that panicked. Its fields are Value, the
// panic's value, which from another process is a copy, or Text where it cannot be
// sent; Text, the value as fmt prints it; Stack, of the goroutine that panicked, in
// the process where it did; and PID, the id of that process. If Value is an error,
// such as a runtime.Error, the PanicError wraps it.
type PanicError = failure.PanicError

// A RemoteError stands for an error of another process that cannot be sent as it is:
// one with unexported state of the standard library, such as what fmt.Errorf makes,
// or with a channel in it. Its fields are Text, what the original's Error returned,
// and Type, the original's type, as in "*fmt.wrapError". errors.Is and errors.As find
// what the original wraps.
type RemoteError = failure.RemoteError

// An ExitError is the error of a child that ended without a result. Its fields are
// PID, of the child; Code, its exit code, or -1 if a signal ended it (120 and 121 are
// of this package); Signal, 0 if none; Crash, what the Go runtime printed when it
// crashed, of which Error shows the beginning; and Cause, why this package ended the
// child, nil if it did not. An ExitError wraps its Cause.
type ExitError = failure.ExitError

// ErrClosed is the error of tasks for a Pool or Queue that was closed.
var ErrClosed = shm.ErrClosed

// ErrFull is the error of a TryPut that found no room.
var ErrFull = failure.ErrFull

// ErrPeerDied is the error of a call that waits for another process, when every
// other process that had the object was killed or crashed. It comes once for each
// time that this process is left alone; the object can be used further on.
var ErrPeerDied = shm.ErrPeerDied

// nilError is the error of a method of a nil pointer to what. In a child that is,
// as a rule, a package variable that its parent has set.
//
//go:noinline
func nilError(what string) error {
	return fmt.Errorf("mp: the %s is nil; in a child process package variables are as they were declared, "+
		"not as the parent has set them: make the %s there, or pass what the function needs as its argument", what, what)
}

// panicNil panics with the nilError of a method that has no error to return.
//
//go:noinline
func panicNil(what string) { panic(nilError(what)) }

// notMade is the error of a method of a zero value that cannot work: maker returns
// those that can.
//
//go:noinline
func notMade(what, maker string) error {
	return fmt.Errorf("mp: the %s was not made by %s", what, maker)
}
