package mp

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/remote"
)

// A Ref is a reference to an object that lives in one process. Other processes call the
// object's methods with Ask. To share a Ref with a child, send it as the argument of a
// function or within it. The object is never copied, so it may hold anything: maps, files,
// channels.
type Ref[S any] struct{ in remote.Reference }

// Serve makes obj available to this process and its children until Close. Functions that
// Ask sends run in this process, one at a time.
func Serve[S any](obj *S) (*Ref[S], error) {
	in, err := remote.Serve(unsafe.Pointer(obj))
	if err != nil {
		return nil, err
	}
	return &Ref[S]{in}, nil
}

// Close stops serving: later calls of Ask fail with ErrClosed. It waits for earlier
// calls. It returns an error in a process that does not serve the object, and in a
// function that Ask has called, since it would wait for itself.
func (r *Ref[S]) Close() error {
	if r == nil {
		return nilError("Ref")
	}
	if r.in == nil {
		return remote.ErrNotServed
	}
	return r.in.Close()
}

// A Method is a function that Ask can call: a method expression such as
// (*Account).Deposit, or any function whose first argument is a pointer to the object.
type Method[S, A, R any] interface {
	~func(*S, A) R | ~func(*S, A) (R, error)
}

// Ask calls fn(object, arg) in the process that serves the object, and returns the
// result: mp.Ask[int](ctx, ref, (*Account).Deposit, 10). If ctx ends first, Ask returns
// ctx's error, but fn may still be called. If the Ref was closed, or its process is
// gone, the error matches ErrClosed.
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

// GobEncode lets a Ref be part of a value that is sent to a process, as a reference.
func (r *Ref[S]) GobEncode() ([]byte, error) {
	if r == nil {
		return nil, nilError("Ref")
	}
	if r.in == nil {
		return nil, remote.ErrNotServed
	}
	return r.in.Encode()
}

// GobDecode is the inverse of GobEncode.
func (r *Ref[S]) GobDecode(b []byte) (err error) {
	if r == nil {
		return nilError("Ref")
	}
	r.in, err = remote.OpenRef(b)
	return err
}
