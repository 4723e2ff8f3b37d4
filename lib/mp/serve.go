package mp

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"unsafe"
)

// A Ref is a reference to an object that lives in one process, and that others
// use by asking it: Ask. It is sent to a child within the argument of a
// function. What it refers to is never copied, so it may hold anything: maps,
// files, channels.
type Ref[S any] struct {
	local  *served[S] // in the process that serves
	asks   *Queue[ask]
	home   owner // the process that serves
	mu     *sync.Mutex
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
type served[S any] struct {
	mu     sync.Mutex // one function at a time
	object *S
	asks   *Queue[ask]
	ended  chan struct{}
}

// Serve makes obj available to this process's children until Close. Functions
// of all askers run one at a time, in this process.
func Serve[S any](obj *S) (*Ref[S], error) {
	if _, err := currentHost(); err != nil {
		return nil, err
	}
	asks, err := NewQueue[ask](Processes, 0)
	if err != nil {
		return nil, err
	}
	s := &served[S]{object: obj, asks: asks, ended: make(chan struct{})}
	go s.work()
	return &Ref[S]{local: s, asks: asks, home: self(), mu: new(sync.Mutex)}, nil
}

// Close ends serving: later asks fail with ErrClosed. It waits for those
// before. Only the process that serves may call it.
func (r *Ref[S]) Close() {
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
func Ask[R, S, A any, F Method[S, A, R]](ctx context.Context, ref *Ref[S], fn F, arg A) (R, error) {
	if ref.local != nil {
		ref.local.mu.Lock()
		defer ref.local.mu.Unlock()
		return protectMethod[R](ref.local.object, fn, arg)
	}
	var none R
	h, err := currentHost()
	if err != nil {
		return none, err
	}
	fv := funcvalOf(fn)
	def, err := define(h, fv, askRunnerPC(new(method[S, A, R, F])), givesResult, false)
	if err != nil {
		return none, err
	}
	body, err := encode(&arg)
	if err != nil {
		return none, err
	}
	c, err := ref.connect()
	if err != nil {
		return none, err
	}
	a, err := c.call(ctx, ref.asks, ask{Runner: def.runnerID, Fn: def.fnID, Arg: body})
	if err != nil {
		return none, err
	}
	if a.Err != nil {
		return none, decodeError(a.Err)
	}
	var r R
	err = decode(a.Result, &r)
	return r, err
}

// connect makes this process's way back for answers, once.
func (r *Ref[S]) connect() (*client, error) {
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
	if r.asks == nil {
		return nil, fmt.Errorf("mp: the Ref was not made by mp.Serve")
	}
	b, err := r.asks.GobEncode()
	return binary.LittleEndian.AppendUint64(b, r.home.word()), err
}

// GobDecode is the other end of GobEncode.
func (r *Ref[S]) GobDecode(b []byte) error {
	if len(b) < 8 {
		return errMalformed
	}
	at := len(b) - 8
	r.asks, r.mu, r.home = new(Queue[ask]), new(sync.Mutex), ownerOf(binary.LittleEndian.Uint64(b[at:]))
	return r.asks.GobDecode(b[:at])
}

// A client is an asking process.
type client struct {
	answers *Queue[answer]
	home    owner

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
		ctx, cancel := context.WithTimeout(context.Background(), longWait)
		a, err := c.answers.Get(ctx)
		cancel()
		c.mu.Lock()
		if mine := c.waiting[a.ID]; err == nil && mine != nil {
			mine <- a
			delete(c.waiting, a.ID)
		}
		if err != nil && !c.home.alive() {
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
func (s *served[S]) work() {
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

func (s *served[S]) answer(a ask) ([]byte, error) {
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
	v := &asking{object: unsafe.Pointer(s.object), fn: &funcval{fn}, arg: a.Arg, err: ErrGoexit}
	done := make(chan struct{})
	go func() { // of its own, for a Goexit
		defer close(done)
		funcOf[func(unsafe.Pointer, *asking)](&funcval{runner})(nil, v)
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

// An askRunner calls methods of one type, as a runner does functions.
type askRunner interface{ ask(*asking) }

type method[S, A, R, F any] struct{}

func (*method[S, A, R, F]) ask(v *asking) {
	if v == nil {
		return // see askRunnerPC
	}
	var a A
	if v.err = decode(v.arg, &a); v.err != nil {
		return
	}
	v.err = ErrGoexit
	r, err := protectMethod[R]((*S)(v.object), funcOf[F](v.fn), a)
	if v.err = err; err == nil {
		v.result, v.err = encode(&r)
	}
}

// askRunnerPC is runnerPC for methods.
//
//go:noinline
func askRunnerPC(r askRunner) uintptr {
	r.ask(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}

func protectMethod[R, S, A, F any](object *S, fn F, a A) (R, error) {
	call := func(a A) (R, error) {
		p := unsafe.Pointer(&fn)
		if methodGivesError[F]() {
			return (*(*func(*S, A) (R, error))(p))(object, a)
		}
		return (*(*func(*S, A) R)(p))(object, a), nil
	}
	return protect[R](context.Background(), call, givesResult|givesError, a)
}
