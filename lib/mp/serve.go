package mp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Ref is a reference to an object that lives in one process, and that others
// use by calling its methods: Ask. It is sent to a child within the argument of a
// function. What it refers to is never copied, so it may hold anything: maps,
// files, channels.
type Ref[S any] struct{ in reference }

// A reference is a Ref, for any type of object.
type reference interface {
	close() error
	encode() ([]byte, error)
	ask(ctx context.Context, m calledMethod, arg, result unsafe.Pointer) error
}

// A ref is what a Ref is of.
type ref struct {
	local  *served // in the process that serves
	asks   *Queue[ask]
	over   *Event    // set when no more asks are answered
	server shm.Owner // the process that serves
	mu     sync.Mutex
	client *client
}

// An ask is a call of a function on a served object, from another process.
type ask struct {
	Runner, Fn string
	Arg        []byte
	Reply      *Queue[answer]
	ID         uint64
}

type answer struct {
	ID     uint64
	Result []byte
	Err    []byte
}

// A served object and who works for it.
type served struct {
	turn   chan struct{}  // full while a function runs: one at a time
	holder atomic.Uintptr // the goroutine that it runs in
	object unsafe.Pointer
	asks   *Queue[ask]
	over   *Event
	ended  chan struct{}
}

// acquire waits until no other function runs, or not at all if it is called by
// one that does.
func (s *served) acquire(ctx context.Context) (release func(), err error) {
	g := currentG()
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

// Serve makes obj available to this process's children until Close. Functions
// of all askers run one at a time, in this process.
func Serve[S any](obj *S) (*Ref[S], error) {
	in, err := serve(unsafe.Pointer(obj))
	if err != nil {
		return nil, err
	}
	return &Ref[S]{in}, nil
}

//go:noinline
func serve(obj unsafe.Pointer) (reference, error) {
	if _, err := mphost.Current(); err != nil {
		return nil, err
	}
	asks, err := NewQueue[ask](Processes, 0)
	if err != nil {
		return nil, err
	}
	over, err := NewEvent(Processes)
	if err != nil {
		return nil, err
	}
	s := &served{turn: make(chan struct{}, 1), object: obj, asks: asks, over: over, ended: make(chan struct{})}
	go s.work()
	return &ref{local: s, asks: asks, over: over, server: shm.Self()}, nil
}

// Close ends serving: later asks fail with ErrClosed. It waits for those
// before. Only the process that serves may call it, and a function that is asked
// may not: Close would wait for it.
func (r *Ref[S]) Close() error {
	if r == nil {
		return nilError("Ref")
	}
	if r.in == nil {
		return errNotServed
	}
	return r.in.close()
}

func (r *ref) close() error {
	if r.local == nil {
		return errors.New("mp: only the process that serves an object may close its Ref")
	}
	if r.local.holder.Load() == currentG() {
		return errors.New("mp: Close was called by a function of the served object, for which it would wait")
	}
	r.asks.Close()
	<-r.local.ended
	return nil
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
		return r, errNotServed
	}
	err = ref.in.ask(ctx, methodOf[S, A, R](fn), unsafe.Pointer(&arg), unsafe.Pointer(&r))
	return r, err
}

func (r *ref) ask(ctx context.Context, m calledMethod, arg, result unsafe.Pointer) error {
	ctx, done := mphost.WithCancel(ctx)
	defer done()
	if r.local != nil {
		return r.local.here(ctx, &m, arg, result)
	}
	h, err := mphost.Current()
	if err != nil {
		return err
	}
	def, err := defineFor(h, m.fn, methodRunnerPC(m.runner), call.GivesResult, false)
	if err != nil {
		return err
	}
	body, err := m.arg.Encode(arg)
	if err != nil {
		return err
	}
	c, err := r.connect()
	if err != nil {
		return err
	}
	a, err := c.call(ctx, r.asks, ask{Runner: def.runnerID, Fn: def.fnID, Arg: body})
	if err != nil {
		return err
	}
	if a.Err != nil {
		return codec.DecodeError(a.Err)
	}
	return m.result.Decode(a.Result, result)
}

// connect makes this process's way back for answers, once.
func (r *ref) connect() (*client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == nil {
		q, err := NewQueue[answer](Processes, 0)
		if err != nil {
			return nil, err
		}
		r.client = &client{answers: q, server: r.server, over: r.over, waiting: make(map[uint64]chan answer)}
	}
	return r.client, nil
}

// GobEncode lets a Ref be part of what is sent to a process.
func (r *Ref[S]) GobEncode() ([]byte, error) {
	if r == nil {
		return nil, nilError("Ref")
	}
	if r.in == nil {
		return nil, errNotServed
	}
	return r.in.encode()
}

var errNotServed = errors.New("mp: the object was not made by mp.Serve, ServeMap or ServeList")

func (r *ref) encode() ([]byte, error) {
	asks, err := r.asks.GobEncode()
	if err != nil {
		return nil, err
	}
	over, err := r.over.GobEncode()
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint64(codec.AppendStrings(nil, string(asks), string(over)), r.server.Word()), nil
}

// GobDecode is the other end of GobEncode.
func (r *Ref[S]) GobDecode(b []byte) (err error) {
	if r == nil {
		return nilError("Ref")
	}
	r.in, err = openRef(b)
	return err
}

//go:noinline
func openRef(b []byte) (reference, error) {
	if len(b) < 8 {
		return nil, failure.ErrMalformed
	}
	at := len(b) - 8
	parts, err := codec.SplitStrings(b[:at])
	if err != nil || len(parts) != 2 {
		return nil, failure.ErrMalformed
	}
	r := &ref{asks: new(Queue[ask]), over: new(Event), server: shm.OwnerOf(binary.LittleEndian.Uint64(b[at:]))}
	if err := r.asks.GobDecode([]byte(parts[0])); err != nil {
		return nil, err
	}
	return r, r.over.GobDecode([]byte(parts[1]))
}

// A client is a process that calls methods.
type client struct {
	answers *Queue[answer]
	over    *Event
	server  shm.Owner

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan answer
	reading bool // some caller reads answers for all
}

func (c *client) call(ctx context.Context, asks *Queue[ask], a ask) (answer, error) {
	mine := make(chan answer, 1)
	c.mu.Lock()
	c.next++
	a.ID, a.Reply = c.next, c.answers
	c.waiting[a.ID] = mine
	if !c.reading {
		c.reading = true
		go c.read()
	}
	c.mu.Unlock()
	err := asks.Put(ctx, a)
	if err == nil {
		select {
		case got := <-mine:
			return got, nil
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	c.mu.Lock()
	delete(c.waiting, a.ID)
	c.mu.Unlock()
	return answer{}, err
}

// read hands out answers as long as somebody waits for one.
func (c *client) read() {
	for {
		over := c.over.IsSet() // then every answer is in the queue
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		a, err := c.answers.Get(ctx)
		cancel()
		c.mu.Lock()
		if mine := c.waiting[a.ID]; err == nil && mine != nil {
			mine <- a
			delete(c.waiting, a.ID)
		}
		if err != nil && over {
			c.failLocked(ErrClosed)
		} else if err != nil && !c.server.Alive() {
			c.failLocked(fmt.Errorf("%w: the process that served the object is gone", ErrClosed))
		}
		if len(c.waiting) == 0 {
			c.reading = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// failLocked ends every call that waits.
func (c *client) failLocked(err error) {
	for id, mine := range c.waiting {
		mine <- answer{Err: codec.EncodeError(err)}
		delete(c.waiting, id)
	}
}

// work answers asks until the queue is closed.
func (s *served) work() {
	defer close(s.ended)
	defer s.over.Set()
	for a, err := range s.asks.All(context.Background()) {
		if err != nil || a.Reply == nil {
			continue // the asker died before its ask was read
		}
		out := answer{ID: a.ID}
		result, err := s.answer(a)
		if err != nil {
			out.Err = codec.EncodeError(ErrGoexit)
			_ = failure.Isolate(func() error { // the error may have methods of the user's
				out.Err = codec.EncodeError(err)
				return nil
			})
		} else {
			out.Result = result
		}
		_ = a.Reply.Put(context.Background(), out) // an asker that is gone needs no answer
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
	v := &methodRun{object: s.object, fn: &call.Funcval{PC: fn}, arg: a.Arg, err: ErrGoexit}
	err = failure.Isolate(func() error {
		release, err := s.acquire(context.Background())
		if err != nil {
			return err
		}
		defer release()
		call.FuncOf[func(unsafe.Pointer, methodCall)](&call.Funcval{PC: runner})(nil, v)
		return v.err
	})
	return v.result, err
}

// here is an ask of the process that serves.
func (s *served) here(ctx context.Context, m *calledMethod, arg, result unsafe.Pointer) error {
	release, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	select {
	case <-s.ended:
		return ErrClosed
	default:
	}
	return m.protected(s.object, arg, result)
}

// A methodRun is one call on a served object, with encoded ends.
type methodRun struct {
	object unsafe.Pointer
	fn     *call.Funcval
	arg    []byte
	result []byte
	err    error
}

// call calls the method that its runner knows.
func (v *methodRun) call(m calledMethod) {
	a, r := m.arg.Room(1), m.result.Room(1)
	if v.err = m.arg.Decode(v.arg, a); v.err != nil {
		return
	}
	v.err = ErrGoexit
	err := m.protected(v.object, a, r)
	if v.err = err; err == nil {
		v.result, v.err = m.result.Encode(r)
	}
}

func (v *methodRun) function() *call.Funcval { return v.fn }

// A calledMethod is a callee that takes an object, too.
type calledMethod struct {
	fn          *call.Funcval
	arg, result call.Elem
	runner      askRunner
	do          func(object, a, r unsafe.Pointer) error
}

//go:noinline
func methodOf[S, A, R, F any](fn F) calledMethod {
	s := call.ShapeOf((*F)(nil), false)
	return calledMethod{
		fn: call.FuncvalOf(fn), arg: call.ElemOf[A](), result: call.ElemOf[R](), runner: (*method[S, A, R, F])(nil),
		do: func(object, a, r unsafe.Pointer) error {
			v, err := invokeMethod[R](fn, s, (*S)(object), *(*A)(a))
			if err == nil {
				*(*R)(r) = v
			}
			return err
		},
	}
}

func invokeMethod[R, S, A, F any](fn F, s call.Shape, object *S, a A) (r R, err error) {
	p := unsafe.Pointer(&fn)
	if s&call.GivesError != 0 {
		return (*(*func(*S, A) (R, error))(p))(object, a)
	}
	return (*(*func(*S, A) R)(p))(object, a), nil
}

// protected is do with panics turned into errors.
func (m *calledMethod) protected(object, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.NewPanicError(v)
		}
	}()
	return m.do(object, a, r)
}

// An askRunner calls methods of one type, as a runner does functions.
type askRunner interface{ ask(call methodCall) }

// A methodCall is what an askRunner is for.
type methodCall interface {
	function() *call.Funcval
	call(m calledMethod)
}

type method[S, A, R, F any] struct{}

func (*method[S, A, R, F]) ask(c methodCall) {
	if c == nil {
		return // see methodRunnerPC
	}
	c.call(methodOf[S, A, R](call.FuncOf[F](c.function())))
}

// methodRunnerPC is runnerPC for methods.
//
//go:noinline
func methodRunnerPC(r askRunner) uintptr {
	r.ask(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}
