package mp

import (
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"
)

// Wrap returns an error that wraps err and has what in front of its text. The prefix
// "mp: " is in the text only once, at the beginning. It returns nil if err is nil.
func Wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mp: %s: %w", what, Unprefixed(err))
}

// Unprefixed returns an error that wraps err, without the prefix "mp: " in its text.
// Use it for an error within the text of another.
func Unprefixed(err error) error { return unprefixed{err} }

type unprefixed struct{ error }

func (u unprefixed) Error() string {
	text, _ := Text(u.error)
	return strings.TrimPrefix(text, "mp: ")
}

func (u unprefixed) Unwrap() error { return u.error }

// A PanicError is the error of a function that panicked.
type PanicError struct {
	// Value is the panic's value. If the function ran in another process it is a copy,
	// or the same as Text if the value cannot be sent.
	Value any
	Text  string // the value as fmt prints it
	Stack string // stack of the goroutine that panicked
	PID   int    // id of the process in which the function panicked
}

// Error returns a text with the panic's value, the process and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %s (in process %d)\n\n%s", e.Text, e.PID, e.Stack)
}

// Unwrap returns the panic's value if that is an error, such as a runtime.Error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A RemoteError stands for an error of another process that cannot be sent as it is.
// Examples are an error that contains a channel, and an error whose type is in the standard
// library and has unexported fields, such as an error of fmt.Errorf. It has the original's
// text, and errors.Is and errors.As find the errors that the original wraps.
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

// NewRemoteRuntimeError returns a runtime.Error with the text and the wrapped errors of e. It
// stands for a runtime.Error of another process.
func NewRemoteRuntimeError(e *RemoteError) error { return &remoteRuntimeError{e} }

// A remoteRuntimeError stands for a runtime.Error of another process that cannot be
// sent as it is.
type remoteRuntimeError struct{ *RemoteError }

// RuntimeError has no effect: it is the method that makes the type a runtime.Error.
func (*remoteRuntimeError) RuntimeError() {}

// An ExitError is the error of a child that ended without a result.
type ExitError struct {
	PID    int            // process id of the child
	Code   int            // exit code, or -1 if a signal ended it; package mp uses 120 and 121 itself
	Signal syscall.Signal // 0 if no signal ended it
	Crash  string         // report of the Go runtime if the child crashed; Error shows its beginning
	Cause  error          // reason if package mp ended the child, else nil
}

// Unwrap returns Cause.
func (e *ExitError) Unwrap() error { return e.Cause }

// Error says how the child ended. If it crashed, the text has the cause and the
// innermost calls.
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

// Text returns err.Error(). If that panics, as the method of a nil pointer may, ok is
// false and the text says so.
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

// maxErrorText is the largest length of an error's text in bytes; the rest is cut off.
const maxErrorText = 1 << 20

func nameOf(err error) string {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Sprintf("a nil %T", err)
	}
	return WithArticle(fmt.Sprintf("%T", err))
}

// NewPanicError makes the error of a panic with the value v. Call it in a deferred function.
func NewPanicError(v any) error {
	return &PanicError{Value: v, Text: fmt.Sprint(v), Stack: panicStack(debug.Stack()), PID: os.Getpid()}
}
