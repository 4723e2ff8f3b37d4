// Package mp, in the folder failure, defines the errors of the library, and calls
// users' functions so that their panics become errors. It has the same name as the
// package that users import, because %T prints an error's type with it: *mp.PanicError.
// Other packages import it under the name failure.
package mp

import (
	"errors"
	"fmt"
	"runtime"
)

// The errors that package mp documents under the same names.
var (
	ErrNoEntry = errors.New("mp: cannot start a child process: call mp.Init() first in main (in tests: in TestMain); " +
		"otherwise a child would run the whole program again")
	ErrRunning     = errors.New("mp: the function is still running")
	ErrUnkillable  = errors.New("mp: a goroutine cannot be killed or signalled; Kill only cancels the goroutine's context")
	ErrGoexit      = errors.New("mp: the function ended without a result, because it called runtime.Goexit")
	ErrUnsupported = errors.New("mp: package mp does not support this feature on " + runtime.GOOS)
	ErrFull        = errors.New("mp: the queue is full")
	ErrBroken      = errors.New("mp: the barrier is broken, so Wait fails until Reset is called")
	ErrTooLarge    = errors.New("mp: the value is too large to send")
)

// ErrMalformed is the error of an invalid message between parent and child.
var ErrMalformed = errors.New("mp: a message between parent and child is malformed")

// Nil returns the error of a method that is called on a nil pointer; what is the name of the
// type, such as "Queue". The usual cause is a package variable that the parent has set and
// that is nil in the child.
func Nil(what string) error {
	return fmt.Errorf("mp: the pointer to the %s is nil; in a child process, package variables have their initial values, "+
		"not those that the parent has assigned: make the %s in the child, or pass what the function needs as its argument", what, what)
}
