package mp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Ref is a reference to an object that lives in one process, and that others
// use by asking it: Ask. It is sent to a child within the argument of a
// function. What it refers to is never copied, so it may hold anything: maps,
// files, channels.
type Ref[S any] struct{ in reference }

// A reference is a Ref, for any type of object.
type reference interface {
	close()
	encode() ([]byte, error)
	ask(ctx context.Context, m calledMethod, arg, result unsafe.Pointer) error
}

// A ref is what a Ref is of.
type ref struct {
	local  *served // in the process that serves
	asks   *Queue[ask]
	home   shm.Owner // the process that serves
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
	mu     sync.Mutex // one function at a time
	object unsafe.Pointer
	asks   *Queue[ask]
	ended  chan struct{}
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
	if _, err := currentHost(); err != nil {
		return nil, err
	}
	asks, err := NewQueue[ask](Processes, 0)
	if err != nil {
		return nil, err
	}
	s := &served{object: obj, asks: asks, ended: make(chan struct{})}
	go s.work()
	return &ref{local: s, asks: asks, home: shm.Self()}, nil
}

// Close ends serving: later asks fail with ErrClosed. It waits for those
// before. Only the process that serves may call it.
func (r *Ref[S]) Close() { r.in.close() }

func (r *ref) close() {
	r.asks.Close()
	if r.local != nil {
		<-r.local.ended
	}
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
	err = ref.in.ask(ctx, methodOf[S, A, R](fn), unsafe.Pointer(&arg), unsafe.Pointer(&r))
	return r, err
}

func (r *ref) ask(ctx context.Context, m calledMethod, arg, result unsafe.Pointer) error {
	if r.local != nil {
		r.local.mu.Lock()
		defer r.local.mu.Unlock()
		return m.protected(r.local.object, arg, result)
	}
	h, err := currentHost()
	if err != nil {
		return err
	}
	def, err := defineFor(h, m.fn, askRunnerPC(m.runner), givesResult, false)
	if err != nil {
		return err
	}
	body, err := m.arg.encode(arg)
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
		return decodeError(a.Err)
	}
	return m.result.decode(a.Result, result)
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
		r.client = &client{answers: q, home: r.home, waiting: make(map[uint64]chan answer)}
	}
	return r.client, nil
}

// GobEncode lets a Ref be part of what is sent to a process.
func (r *Ref[S]) GobEncode() ([]byte, error) {
	if r.in == nil {
		return nil, errNotServed
	}
	return r.in.encode()
}

var errNotServed = errors.New("mp: the Ref was not made by mp.Serve")

func (r *ref) encode() ([]byte, error) {
	b, err := r.asks.GobEncode()
	return binary.LittleEndian.AppendUint64(b, r.home.Word()), err
}

// GobDecode is the other end of GobEncode.
func (r *Ref[S]) GobDecode(b []byte) (err error) {
	r.in, err = openRef(b)
	return err
}

//go:noinline
func openRef(b []byte) (reference, error) {
	if len(b) < 8 {
		return nil, errMalformed
	}
	at := len(b) - 8
	r := &ref{asks: new(Queue[ask]), home: shm.OwnerOf(binary.LittleEndian.Uint64(b[at:]))}
	return r, r.asks.GobDecode(b[:at])
}

// A client is an asking process.
type client struct {
	answers *Queue[answer]
	home    shm.Owner

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
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		a, err := c.answers.Get(ctx)
		cancel()
		c.mu.Lock()
		if mine := c.waiting[a.ID]; err == nil && mine != nil {
			mine <- a
			delete(c.waiting, a.ID)
		}
		if err != nil && !c.home.Alive() {
			for id, mine := range c.waiting {
				mine <- answer{Err: encodeError(fmt.Errorf("%w: the process that served the object is gone", ErrClosed))}
				delete(c.waiting, id)
			}
		}
		if len(c.waiting) == 0 {
			c.reading = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// work answers asks until the queue is closed.
func (s *served) work() {
	defer close(s.ended)
	for a, err := range s.asks.All(context.Background()) {
		if err != nil || a.Reply == nil {
			continue // the asker died before its ask was read
		}
		out := answer{ID: a.ID}
		result, err := s.answer(a)
		if err != nil {
			out.Err = encodeError(err)
		} else {
			out.Result = result
		}
		_ = a.Reply.Put(context.Background(), out) // an asker that is gone needs no answer
	}
}

func (s *served) answer(a ask) ([]byte, error) {
	h, err := currentHost()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &asking{object: s.object, fn: &funcval{fn}, arg: a.Arg, err: ErrGoexit}
	done := make(chan struct{})
	go func() { // of its own, for a Goexit
		defer close(done)
		funcOf[func(unsafe.Pointer, methodCall)](&funcval{runner})(nil, v)
	}()
	<-done
	return v.result, v.err
}

// An asking is one call on a served object, with encoded ends.
type asking struct {
	object unsafe.Pointer
	fn     *funcval
	arg    []byte
	result []byte
	err    error
}

// call calls the method that its runner knows.
func (v *asking) call(m calledMethod) {
	a, r := m.arg.room(1), m.result.room(1)
	if v.err = m.arg.decode(v.arg, a); v.err != nil {
		return
	}
	v.err = ErrGoexit
	err := m.protected(v.object, a, r)
	if v.err = err; err == nil {
		v.result, v.err = m.result.encode(r)
	}
}

func (v *asking) function() *funcval { return v.fn }

// A calledMethod is a callee that takes an object, too.
type calledMethod struct {
	fn          *funcval
	arg, result elem
	runner      askRunner
	do          func(object, a, r unsafe.Pointer) error
}

//go:noinline
func methodOf[S, A, R, F any](fn F) calledMethod {
	s := shapeLike((*F)(nil), false)
	return calledMethod{
		fn: funcvalOf(fn), arg: elemOf[A](), result: elemOf[R](), runner: (*method[S, A, R, F])(nil),
		do: func(object, a, r unsafe.Pointer) error {
			v, err := invokeMethod[R](fn, s, (*S)(object), *(*A)(a))
			if err == nil {
				*(*R)(r) = v
			}
			return err
		},
	}
}

func invokeMethod[R, S, A, F any](fn F, s shape, object *S, a A) (r R, err error) {
	p := unsafe.Pointer(&fn)
	if s&givesError != 0 {
		return (*(*func(*S, A) (R, error))(p))(object, a)
	}
	return (*(*func(*S, A) R)(p))(object, a), nil
}

// protected is do with panics turned into errors.
func (m *calledMethod) protected(object, a, r unsafe.Pointer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return m.do(object, a, r)
}

// An askRunner calls methods of one type, as a runner does functions.
type askRunner interface{ ask(call methodCall) }

// A methodCall is what an askRunner is for.
type methodCall interface {
	function() *funcval
	call(m calledMethod)
}

type method[S, A, R, F any] struct{}

func (*method[S, A, R, F]) ask(c methodCall) {
	if c == nil {
		return // see askRunnerPC
	}
	c.call(methodOf[S, A, R](funcOf[F](c.function())))
}

// askRunnerPC is runnerPC for methods.
//
//go:noinline
func askRunnerPC(r askRunner) uintptr {
	r.ask(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}
