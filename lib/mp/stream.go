package mp

import (
	"context"
	"iter"
	"runtime"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
)

// Stream applies fn to the values of seq, on the pool's workers, and yields the results
// in the order of seq. If a task fails, its error is yielded in place of the result,
// and the stream goes on. An error of ctx or of the pool ends the stream. If the loop
// ends early, running tasks are canceled.
//
// seq runs in a separate goroutine. It runs ahead of the results only as far as is
// needed to keep the workers busy, so it may be endless. If it panics or calls
// runtime.Goexit, the stream ends with that error.
//
//go:noinline
func Stream[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], opts ...JobOption) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, true, opts)
}

// StreamUnordered is Stream, but yields each result as soon as it is available.
//
//go:noinline
func StreamUnordered[R, A any, F Func[A, R]](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], opts ...JobOption) iter.Seq2[R, error] {
	return stream[R](ctx, p, fn, seq, false, opts)
}

// stream must not be inlined: each caller would compile its loops again.
//
//go:noinline
func stream[R, A, F any](ctx context.Context, p *Pool, fn F, seq iter.Seq[A], ordered bool, opts []JobOption) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		s, err := openStream(ctx, p, call.Of[R, A](fn, false), ordered, opts)
		if err != nil {
			yield(*new(R), err)
			return
		}
		defer runtime.KeepAlive(p) // an unreachable pool is closed
		defer s.Close()
		go func() {
			defer s.Fed()
			for a := range seq {
				if !s.Feed(call.Hide(unsafe.Pointer(&a))) {
					break
				}
			}
			s.Returned()
		}()
		r, err, more := s.Next()
		for ; more; r, err, more = s.Next() {
			if !yield(*(*R)(r), err) {
				return
			}
		}
		if err != nil {
			yield(*new(R), err)
		}
	}
}

//go:noinline
func openStream(ctx context.Context, p *Pool, fn call.Function, ordered bool, opts []JobOption) (pool.Streaming, error) {
	if p == nil {
		return nil, nilError("Pool")
	}
	o, err := newJobOptions(opts)
	if err != nil {
		return nil, err
	}
	return poolOf(p).Stream(ctx, fn, ordered, o.report)
}
