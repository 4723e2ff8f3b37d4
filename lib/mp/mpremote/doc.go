// Package mpremote connects package mp with a package that runs tasks on other machines,
// such as package cluster. Such a package implements a Runner, which gets functions and
// arguments as bytes; mp.NewRemotePool makes a Pool of it. On the machine that receives the
// tasks, an Executor runs them in child processes.
//
// Functions, types and errors are sent as addresses in the binary, so both ends must run the
// same build: see Build. A function whose source package mpsource knows can also be sent to
// another build that has registered the same function: see Register.
package mpremote

import (
	"context"
	"errors"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// A Runner runs tasks elsewhere. Its methods may be called concurrently.
type Runner interface {
	// Run runs one task and returns its outcome. An error of the task is part of the Outcome;
	// Run returns an error if there is no Outcome. Run returns soon after ctx has ended, and
	// tells the task to end.
	Run(ctx context.Context, f *Func, arg []byte) (Outcome, error)
	// Workers returns how many tasks can run at once.
	Workers() int
	// Close releases the resources of the Runner. It is called when no task runs, and may be
	// called again.
	Close() error
}

// A Func names a function that is sent.
type Func struct {
	ID          string // identifies the function and its types for an Executor of the same build
	Name        string // name for messages, such as "main.Square (main.go:12)"
	Arg, Result string // names of the types of the argument and the result

	// Source describes the source of the function if other builds may run it. If Source is nil,
	// Bound says why. If Hash is not zero, the Executor finds the function by the name Registered
	// and by Hash, not by ID.
	Source     *mpsource.Function
	Bound      string
	Registered string
	Hash       mpsource.Hash
}

// An Outcome is the encoded result of a task, or the encoded error if Failed is true. Portable is
// true if the Outcome comes from another build or may go to another build. It then contains no
// addresses in the binary.
type Outcome struct {
	Failed   bool
	Portable bool
	Bytes    []byte
}

// Failure returns the Outcome of a task that failed with err.
func Failure(err error) Outcome { return Outcome{Failed: true, Bytes: codec.EncodeError(err)} }

// PortableFailure is Failure for an Outcome that goes to another build.
func PortableFailure(err error) Outcome {
	return Outcome{Failed: true, Portable: true, Bytes: codec.EncodeErrorFor(err, true)}
}

// Err returns the error of the Outcome, or nil.
func (o Outcome) Err() error {
	if !o.Failed {
		return nil
	}
	if err := codec.DecodeErrorFor(o.Bytes, o.Portable); err != nil {
		return err
	}
	return errors.New("mp: a task failed, but its error is missing in the message from the worker")
}
