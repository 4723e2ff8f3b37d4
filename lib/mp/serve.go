package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/remote"
)

// A Ref is a reference to an object that lives in one process, and that others
// use by calling its methods: Ask. It is sent to a child within the argument of a
// function. What it refers to is never copied, so it may hold anything: maps,
// files, channels.
type Ref[S any] struct{ in remote.Reference }

// Serve makes obj available to this process's children until Close. Functions
// of all askers run one at a time, in this process.
func Serve[S any](obj *S) (*Ref[S], error) {
	in, err := remote.Serve(unsafe.Pointer(obj))
	if err != nil {
		return nil, err
	}
	return &Ref[S]{in}, nil
}

// Close ends serving: later asks fail with ErrClosed. It waits for those
// before. Only the process that serves may call it, and a function that is asked
// may not: Close would wait for it.
func (r *Ref[S]) Close() error {
	if r == nil {
		return nilError("Ref")
	}
	if r.in == nil {
		return remote.ErrNotServed
	}
	return r.in.Close()
}

// A Method is what Ask calls: a method expression such as (*Account).Deposit,
// or any function that takes the object first.
type Method[S, A, R any] interface {
	~func(*S, A) R | ~func(*S, A) (R, error)
}

// Ask calls fn(object, arg) in the process that serves the object, and returns
// the result: mp.Ask[int](ctx, ref, (*Account).Deposit, 10). When ctx ends, Ask
// returns its error, and the call may yet happen. The error of a Ref that was
// closed, or whose process is gone, matches ErrClosed.
func Ask[R, S, A any, F Method[S, A, R]](ctx context.Context, ref *Ref[S], fn F, arg A) (r R, err error) {
	if ref == nil {
		return r, nilError("Ref")
	}
	if ref.in == nil {
		return r, remote.ErrNotServed
	}
	err = ref.in.Ask(ctx, remote.MethodOf[S, A, R](fn), unsafe.Pointer(&arg), unsafe.Pointer(&r))
	return r, err
}

// GobEncode lets a Ref be part of what is sent to a process.
func (r *Ref[S]) GobEncode() ([]byte, error) {
	if r == nil {
		return nil, nilError("Ref")
	}
	if r.in == nil {
		return nil, remote.ErrNotServed
	}
	return r.in.Encode()
}

// GobDecode is the other end of GobEncode.
func (r *Ref[S]) GobDecode(b []byte) (err error) {
	if r == nil {
		return nilError("Ref")
	}
	r.in, err = remote.OpenRef(b)
	return err
}
