package mpremote

import (
	"context"
	"errors"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Encode returns the Func of fn, and the encoded arguments of the calls fn(x) for each x of xs,
// in the form in which a Runner gets them. Use it for tasks that outlive the process.
func Encode[R, A, F any](fn F, xs []A) (*Func, [][]byte, error) {
	return encode(call.Of[R, A](fn, false), unsafe.Pointer(unsafe.SliceData(xs)), len(xs))
}

//go:noinline
func encode(c call.Function, args unsafe.Pointer, n int) (*Func, [][]byte, error) {
	h, err := mphost.Current()
	if err != nil {
		return nil, nil, err
	}
	if c.Fn == nil {
		return nil, nil, errors.New("mp: the function to run is nil")
	}
	r := &recorder{args: make([][]byte, 0, n)}
	m := &remote{Runner: r, host: h}
	elem := c.Arg
	if err := m.Prepare(&c); err != nil {
		return nil, nil, err
	}
	for i := range n {
		if err := c.Do(context.Background(), elem.At(args, i), nil); !errors.Is(err, errRecorded) {
			return nil, nil, err
		}
	}
	if n == 0 {
		r.f = &Func{}
	}
	return r.f, r.args, nil
}

var errRecorded = errors.New("mp: the call was recorded and not executed")

// A recorder is a Runner that keeps the tasks in place of running them.
type recorder struct {
	f    *Func
	args [][]byte
}

func (r *recorder) Run(_ context.Context, f *Func, arg []byte) (Outcome, error) {
	r.f, r.args = f, append(r.args, arg)
	return Outcome{}, errRecorded
}

func (*recorder) Workers() int { return 1 }
func (*recorder) Close() error { return nil }
