package remote

import (
	"context"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// served is an object in the process that serves it.
type served struct {
	turn   chan struct{}  // full while a function runs: one at a time
	holder atomic.Uintptr // the goroutine that runs the function, or 0
	object unsafe.Pointer
	asks   *asks
	over   *flag
	ended  chan struct{}
}

// acquire waits until no other function runs. If the calling goroutine runs a
// function already, acquire does not wait.
func (s *served) acquire(ctx context.Context) (release func(), err error) {
	g := goroutine.Current()
	if s.holder.Load() == g {
		return func() {}, nil
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.holder.Store(g)
	return func() {
		s.holder.Store(0)
		<-s.turn
	}, nil
}

// work answers the calls in the queue asks until the queue is closed.
func (s *served) work() {
	defer close(s.ended)
	defer s.over.Set()
	for {
		a, err := s.asks.Get(context.Background())
		if failure.Is(err, shm.ErrClosed) {
			return
		}
		if err != nil || a.Reply == nil {
			continue // the calling process died before its ask was read
		}
		out := answer{ID: a.ID}
		result, err := s.answer(a)
		if err != nil {
			out.Err = codec.EncodeError(failure.ErrGoexit)
			_ = failure.Isolate(func() error { // the error's methods may be the user's
				out.Err = codec.EncodeError(err)
				return nil
			})
		} else {
			out.Result = result
		}
		_ = a.Reply.Put(context.Background(), out) // if this fails, the calling process is gone
	}
}

func (s *served) answer(a ask) ([]byte, error) {
	h, err := mphost.Current()
	if err != nil {
		return nil, err
	}
	runner, err := h.FuncPC(a.Runner)
	if err != nil {
		return nil, err
	}
	fn, err := h.FuncPC(a.Fn)
	if err != nil {
		return nil, err
	}
	v := &methodRun{object: s.object, fn: &call.Funcval{PC: fn}, arg: a.Arg, err: failure.ErrGoexit}
	err = failure.Isolate(func() error {
		release, err := s.acquire(context.Background())
		if err != nil {
			return err
		}
		defer release()
		call.FuncOf[func(unsafe.Pointer, MethodCall)](&call.Funcval{PC: runner})(nil, v)
		return v.err
	})
	return v.result, err
}

// here calls m in the process that serves the object, without messages.
func (s *served) here(ctx context.Context, m *CalledMethod, arg, result unsafe.Pointer) error {
	release, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	select {
	case <-s.ended:
		return shm.ErrClosed
	default:
	}
	return m.protected(s.object, arg, result)
}

// A methodRun is one call on a served object, with an encoded argument and result.
type methodRun struct {
	object unsafe.Pointer
	fn     *call.Funcval
	arg    []byte
	result []byte
	err    error
}

// Call implements MethodCall: it calls m, and stores the encoded result or the error in v.
func (v *methodRun) Call(m CalledMethod) {
	a, r := m.Arg.Room(1), m.Result.Room(1)
	if v.err = m.Arg.Decode(v.arg, a); v.err != nil {
		return
	}
	v.err = failure.ErrGoexit
	err := m.protected(v.object, a, r)
	if v.err = err; err == nil {
		v.result, v.err = m.Result.Encode(r)
	}
}

func (v *methodRun) Function() *call.Funcval { return v.fn }
