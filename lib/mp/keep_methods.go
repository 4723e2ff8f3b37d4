package mp

import (
	"context"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// keepMethods makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
//
//go:noinline
func keepMethods(q queue, s streaming, r reference, l call.Caller, m methodCall) {
	ctx := context.Background()
	if q != nil {
		_ = q.put(ctx, nil, false)
		_, _ = q.get(ctx, nil, false)
		_, _ = q.handle()
		_ = q.join(ctx)
		_ = q.done()
		_ = q.length()
		q.close()
	}
	if s != nil {
		s.feed(nil)
		s.returned()
		s.fed()
		_, _, _ = s.next()
		s.close()
	}
	if r != nil {
		_ = r.ask(ctx, calledMethod{}, nil, nil)
		_, _ = r.encode()
		r.close()
	}
	if l != nil {
		l.Function()
		l.Caller(call.Function{})
	}
	if m != nil {
		m.function()
		m.call(calledMethod{})
	}
}

func init() { keepMethods(nil, nil, nil, nil, nil) }
