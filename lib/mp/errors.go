package mp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

var (
	// ErrNoEntry is the refusal to start a child of a program that did not call Init.
	ErrNoEntry = errors.New("mp: call mp.Init() first in main (in tests: in TestMain) to use mp.Processes; " +
		"a child would run the whole program again otherwise")
	// ErrRunning is in the error of a Join whose context ended first.
	ErrRunning = errors.New("mp: still running")
	// ErrUnkillable is returned by Kill and Signal for a goroutine, whose
	// context Kill cancels all the same.
	ErrUnkillable = errors.New("mp: a goroutine cannot be killed or signalled; its context was cancelled")
	// ErrGoexit is the error of a function that ended by runtime.Goexit.
	ErrGoexit = errors.New("mp: the function called runtime.Goexit")
	// ErrUnsupported is returned for what this operating system does not offer.
	ErrUnsupported = errors.New("mp: not supported on " + runtime.GOOS)
)

// within returns err with what was at work in its text, which has the package's
// name in front once, however many errors are in each other.
func within(what string, err error) error { return fmt.Errorf("mp: %s: %w", what, bare{err}) }

// A bare error has no name of the package in front: it is a part of another's text.
type bare struct{ error }

func (b bare) Error() string { return strings.TrimPrefix(b.error.Error(), "mp: ") }
func (b bare) Unwrap() error { return b.error }

// A PanicError is the error of a function that panicked.
type PanicError struct {
	Value string // the panic's value as fmt prints it
	Stack string // of the goroutine that panicked, in the process where it did
	PID   int    // of that process
}

// Error says what the panic was, where, and shows the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %s (in process %d)\n\n%s", e.Value, e.PID, e.Stack)
}

// A RemoteError is an error that a function returned in a child process. It
// has the text of the original, and matches with errors.Is the errors of
// packages context, io, io/fs and this one that the original matched.
type RemoteError struct {
	Text string // what the original's Error returned
	Type string // the original's type, as in "*fs.PathError"
	is   []error
}

// Error returns the original's text.
func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the well-known errors that the original matched.
func (e *RemoteError) Unwrap() []error { return e.is }

// known lists the errors whose identity survives the way home, by position.
func known() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed,
		ErrNoEntry, ErrRunning, ErrUnkillable, ErrGoexit, ErrUnsupported,
		ErrClosed, ErrFull, ErrBroken,
	}
}

// An ExitError is the error of a child that ended without giving a result.
type ExitError struct {
	PID    int            // of the child
	Code   int            // exit code, or -1 if a signal ended it
	Signal syscall.Signal // 0 if none
	Crash  string         // what the Go runtime printed when it crashed, of which Error shows the beginning
}

// Error says how the child ended and, if it crashed, shows the cause and the calls
// that led to it.
func (e *ExitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mp: child process %d ended without a result: ", e.PID)
	if e.Signal != 0 {
		fmt.Fprintf(&b, "signal %d (%v)", int(e.Signal), e.Signal)
	} else {
		fmt.Fprintf(&b, "exit code %d", e.Code)
	}
	if e.Crash != "" {
		b.WriteString("\n\n" + crashSummary(e.Crash))
	}
	return b.String()
}

// encodeError flattens err for the way to the parent.
func encodeError(err error) []byte {
	if p, ok := errors.AsType[*PanicError](err); ok {
		return appendStrings([]byte{errorPanic}, p.Value, p.Stack, strconv.Itoa(p.PID))
	}
	b := []byte{errorPlain}
	var is []byte
	for i, k := range known() {
		if errors.Is(err, k) {
			is = append(is, byte(i))
		}
	}
	typ := reflect.TypeOf(err).String()
	if r, ok := err.(*RemoteError); ok { // it has come from further away
		typ = r.Type
	}
	return appendStrings(b, err.Error(), typ, string(is))
}

const (
	errorPlain byte = iota
	errorPanic
)

// decodeError undoes encodeError.
func decodeError(b []byte) error {
	if len(b) == 0 {
		return errMalformed
	}
	parts, err := splitStrings(b[1:])
	switch {
	case err != nil:
		return err
	case b[0] == errorPanic && len(parts) == 3:
		pid, err := strconv.Atoi(parts[2])
		if err != nil {
			return errMalformed
		}
		return &PanicError{Value: parts[0], Stack: parts[1], PID: pid}
	case b[0] == errorPlain && len(parts) == 3:
		e := &RemoteError{Text: parts[0], Type: parts[1]}
		all := known()
		for _, i := range []byte(parts[2]) {
			if int(i) < len(all) {
				e.is = append(e.is, all[i])
			}
		}
		return e
	}
	return errMalformed
}

func readsNotice(pc uintptr, names []string) string {
	if len(names) == 1 {
		return fmt.Sprintf("mp: %s uses the variable %s. A child process has one of its own: zero, or the constant of its declaration.",
			shortName(pc), names[0])
	}
	return fmt.Sprintf("mp: %s uses the variables %s. A child process has its own: zero, or the constants of their declarations.",
		shortName(pc), strings.Join(names, ", "))
}

func shortName(pc uintptr) string {
	f := runtime.FuncForPC(pc)
	if f == nil {
		return "the function"
	}
	if isLiteral(f.Name()) {
		return describe(pc)
	}
	name := filepath.Base(f.Name())
	return strings.TrimPrefix(name, "main.")
}
