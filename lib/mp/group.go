package mp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Group runs several functions, in goroutines or child processes, as one piece of
// work. StartIn and GoIn add a function. The first error ends the context of all
// functions, and Wait returns it. The zero Group uses goroutines.
//
// A Pool is for many tasks and keeps its workers; a Group starts a goroutine or a
// process for each function.
type Group struct {
	backend Backend
	opts    []ProcessOption

	once   sync.Once
	ctx    context.Context
	cancel context.CancelCauseFunc
	slots  chan struct{} // full while the limit is reached; nil without a limit
	all    sync.WaitGroup

	mu  sync.Mutex
	err error // the first error of a function
}

// NewGroup makes a Group. The context of its functions ends when ctx ends, or at the first
// error, which is then the context's cause. opts apply to each process of the Group.
func NewGroup(ctx context.Context, b Backend, opts ...ProcessOption) (*Group, error) {
	if b != Goroutines && b != Processes {
		return nil, unknownBackend(b)
	}
	if _, err := processOptions(b, opts); err != nil {
		return nil, err
	}
	g := &Group{backend: b, opts: opts}
	g.once.Do(func() { g.open(ctx) })
	return g, nil
}

func (g *Group) open(ctx context.Context) { g.ctx, g.cancel = context.WithCancelCause(ctx) }

func (g *Group) init() { g.once.Do(func() { g.open(context.Background()) }) }

// SetLimit limits the number of functions that run at once to n, which must be at least 1:
// StartIn and GoIn wait while n functions run. Call SetLimit before StartIn and GoIn.
func (g *Group) SetLimit(n int) {
	if g == nil {
		panicNil("Group")
	}
	if n < 1 {
		panic(fmt.Sprintf("mp: SetLimit(%d): the limit must be at least 1", n))
	}
	g.slots = make(chan struct{}, n)
}

// Context returns the context of the group's functions.
func (g *Group) Context() context.Context {
	if g == nil {
		panicNil("Group")
	}
	g.init()
	return g.ctx
}

// Wait waits until every function of the group has ended, and returns the first error.
// If ctx ends first, Wait returns an error that matches ErrRunning and ctx's error, and
// the functions go on.
func (g *Group) Wait(ctx context.Context) error {
	if g == nil {
		return nilError("Group")
	}
	g.init()
	done := make(chan struct{})
	go func() { g.all.Wait(); close(done) }()
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer pool.StartHelper(0)()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("%w, but the context of the wait has ended: %w", ErrRunning, context.Cause(ctx))
	}
	g.cancel(context.Canceled)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// fail records an error, and ends the group's context if it is the first.
func (g *Group) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
	g.cancel(err)
}

// StartIn runs fn(arg) in the group, as Start does. An invalid call counts as a function
// that failed: it ends the group's context, and Wait returns its error.
func StartIn[A any, F Target[A]](g *Group, fn F, arg A) *Process {
	return g.start(call.Of[None, A](fn, true), unsafe.Pointer(&arg), unsafe.Pointer(&call.Nothing))
}

// GoIn is StartIn for a function with a result, which the Call's Result method returns.
// The type of the result is the only type argument to give: mp.GoIn[int](g, Square, 7).
func GoIn[R, A any, F Func[A, R]](g *Group, fn F, arg A) *Call[R] {
	c := new(Call[R])
	c.Process = g.start(call.Of[R, A](fn, false), unsafe.Pointer(&arg), unsafe.Pointer(&c.result))
	return c
}

//go:noinline
func (g *Group) start(fn call.Function, arg, result unsafe.Pointer) *Process {
	if g == nil {
		return notStarted(nilError("Group"))
	}
	g.init()
	var err error
	if g.slots != nil {
		back := pool.StartHelper(0)
		select {
		case g.slots <- struct{}{}:
		case <-g.ctx.Done():
			err = context.Cause(g.ctx)
		}
		back()
	}
	var p *Process
	if err == nil {
		if p, err = start(g.ctx, g.backend, fn, arg, result, g.opts); err != nil && g.slots != nil {
			<-g.slots
		}
	}
	if err != nil {
		g.fail(err)
		return notStarted(err)
	}
	g.all.Go(func() {
		<-p.done
		if g.slots != nil {
			<-g.slots
		}
		if p.err != nil {
			g.fail(p.err)
		}
	})
	return p
}

// notStarted returns a Process that has ended with err without having run.
func notStarted(err error) *Process {
	p := &Process{name: "a process that could not be started", pid: os.Getpid(), cancel: func() {}, done: make(chan struct{}), ended: make(chan struct{}), err: err, code: 1}
	close(p.ended)
	close(p.done)
	return p
}

// A Waiter is an argument of WaitAny: a Process, Call, Future or context.
type Waiter interface{ Done() <-chan struct{} }

// WaitAny waits until one of ws has ended, and returns its index. If several have ended
// when it is called, it returns the lowest index. If ctx ends first, WaitAny returns -1
// and the error of ctx.
func WaitAny(ctx context.Context, ws ...Waiter) (int, error) {
	if len(ws) == 0 {
		return -1, errors.New("mp: WaitAny has nothing to wait for: pass at least one process or future")
	}
	for i, w := range ws {
		if w == nil {
			return -1, fmt.Errorf("mp: cannot wait for argument %d of WaitAny, which is nil", i)
		}
		select {
		case <-w.Done():
			return i, nil
		default:
		}
	}
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer pool.StartHelper(0)()
	cases := make([]reflect.SelectCase, 0, len(ws)+1)
	for _, done := range append(doneOf(ws), ctx.Done()) {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(done)})
	}
	i, _, _ := reflect.Select(cases)
	if i == len(ws) {
		return -1, context.Cause(ctx)
	}
	return i, nil
}

func doneOf(ws []Waiter) (done []<-chan struct{}) {
	for _, w := range ws {
		done = append(done, w.Done())
	}
	return done
}
