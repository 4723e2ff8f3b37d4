package mp

import (
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"
)

// Wrap returns err with what was at work in its text, which has the package's
// name in front once, however many errors are in each other.
func Wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mp: %s: %w", what, Unprefixed(err))
}

// Unprefixed returns err without the name of the package in front of its text, to be
// part of the text of another error. The result wraps err.
func Unprefixed(err error) error { return unprefixed{err} }

type unprefixed struct{ error }

func (u unprefixed) Error() string {
	text, _ := Text(u.error)
	return strings.TrimPrefix(text, "mp: ")
}

func (u unprefixed) Unwrap() error { return u.error }

// A PanicError is the error of a function that panicked.
type PanicError struct {
	// Value is the panic's value. From another process it is a copy, or Text
	// where it cannot be sent.
	Value any
	Text  string // the value as fmt prints it
	Stack string // of the goroutine that panicked, in the process where it did
	PID   int    // of that process
}

// Error says what the panic was, where, and shows the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %s (in process %d)\n\n%s", e.Text, e.PID, e.Stack)
}

// Unwrap returns the panic's value if that is an error, such as a runtime.Error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A RemoteError stands for an error of another process that cannot be sent as
// it is: one with unexported state of the standard library, such as what
// fmt.Errorf makes, or with a channel in it. It has the original's text, and
// errors.Is and errors.As find what the original wraps.
type RemoteError struct {
	Text  string // what the original's Error returned
	Type  string // the original's type, as in "*fmt.wrapError"
	wraps []error
}

// NewRemoteError returns a RemoteError for an error of type typ that wraps others.
func NewRemoteError(text, typ string, wraps []error) *RemoteError {
	return &RemoteError{Text: text, Type: typ, wraps: wraps}
}

// Error returns the original's text.
func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the errors that the original wraps.
func (e *RemoteError) Unwrap() []error { return e.wraps }

// NewRemoteRuntimeError returns e as a runtime.Error, since the original was one.
func NewRemoteRuntimeError(e *RemoteError) error { return &remoteRuntimeError{e} }

// A remoteRuntimeError is the error of the Go runtime in another process that
// cannot be sent as it is.
type remoteRuntimeError struct{ *RemoteError }

// RuntimeError makes it a runtime.Error.
func (*remoteRuntimeError) RuntimeError() {}

// An ExitError is the error of a child that ended without giving a result.
type ExitError struct {
	PID    int            // of the child
	Code   int            // exit code, or -1 if a signal ended it; 120 and 121 are of this package
	Signal syscall.Signal // 0 if none
	Crash  string         // what the Go runtime printed when it crashed, of which Error shows the beginning
	Cause  error          // why this package ended the child; nil if it did not
}

// Unwrap returns Cause.
func (e *ExitError) Unwrap() error { return e.Cause }

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
	if e.Cause != nil {
		b.WriteString(": " + Unprefixed(e.Cause).Error())
	}
	if e.Crash != "" {
		b.WriteString("\n\n" + crashSummary(e.Crash))
	}
	return b.String()
}

// Text calls the Error method of a user's error. ok is false if it
// panics, as that of a nil pointer may; the text says so then.
func Text(err error) (text string, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			text, ok = fmt.Sprintf("%s, whose Error method panicked: %v", nameOf(err), v), false
		}
	}()
	if text = err.Error(); len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	return text, true
}

// maxErrorText bounds the text of an error.
const maxErrorText = 1 << 20

func nameOf(err error) string {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Sprintf("a nil %T", err)
	}
	return WithArticle(fmt.Sprintf("%T", err))
}

// NewPanicError makes the error of a panic; a deferred function calls it.
func NewPanicError(v any) error {
	return &PanicError{Value: v, Text: fmt.Sprint(v), Stack: panicStack(debug.Stack()), PID: os.Getpid()}
}
