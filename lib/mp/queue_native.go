package mp

import (
	"context"
	"reflect"
	"sync"
	"unsafe"
)

// A nativeQueue is a channel of the values themselves: under contention nothing is
// faster. Closing it is closing the channel, so each value is either in the channel
// before that, and will be received, or refused.
//
// The race detector takes a close beside a send for a race; there a boxQueue is
// used.
type nativeQueue struct {
	tally
	elem  elem
	chans *chans
	ch    unsafe.Pointer // the channel
	boxed bool           // it carries pointers to values
	boxes sync.Pool      // without a value
	once  sync.Once      // closes it
}

// A carrier is a type that a channel carries in place of others of the same layout.
// The channels are not generic, since a cell would compile their code anew, and
// since a type may be too large for a channel.
type carrier interface {
	uint64 | [2]uint64 | [4]uint64 | [8]uint64 | boxRef | string | []byte | [2]unsafe.Pointer
}

// A chans makes and uses channels of one carrier.
type chans struct {
	make func(size int) unsafe.Pointer
	// send sends n bytes at v; it panics if the channel is closed. Without wait
	// it does not block, else it does until done is.
	send func(ch, v unsafe.Pointer, n uintptr, done <-chan struct{}, wait bool) bool
	// receive receives n bytes to v. It is done if it received, ended if the channel
	// is closed and empty, empty if it did not wait or done was first.
	receive func(ch, v unsafe.Pointer, n uintptr, done <-chan struct{}, wait bool) ringState
}

var (
	chansOfWord     = chansOf[uint64]()
	chansOfPair     = chansOf[[2]uint64]()
	chansOfFour     = chansOf[[4]uint64]()
	chansOfEight    = chansOf[[8]uint64]()
	chansOfPointers = chansOf[boxRef]()
	chansOfStrings  = chansOf[string]()
	chansOfSlices   = chansOf[[]byte]()
	chansOfPairs    = chansOf[[2]unsafe.Pointer]() // interfaces
)

// chansFor returns the channels for a type, or nil if its values need boxes.
func chansFor(t reflect.Type) *chans {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return &chansOfPointers
	case reflect.String:
		return &chansOfStrings
	case reflect.Slice:
		return &chansOfSlices
	case reflect.Interface:
		return &chansOfPairs
	}
	if _, why := unshareable(t, ""); why != "" {
		return nil
	}
	switch n := t.Size(); {
	case n <= 8:
		return &chansOfWord
	case n <= 16:
		return &chansOfPair
	case n <= 32:
		return &chansOfFour
	case n <= 64:
		return &chansOfEight
	}
	return nil
}

func chansOf[C carrier]() chans {
	return chans{make: makeChan[C], send: sendTo[C], receive: receiveFrom[C]}
}

func makeChan[C carrier](size int) unsafe.Pointer {
	ch := make(chan C, size)
	return *(*unsafe.Pointer)(unsafe.Pointer(&ch))
}

func sendTo[C carrier](p, v unsafe.Pointer, n uintptr, done <-chan struct{}, wait bool) bool {
	ch := *(*chan C)(unsafe.Pointer(&p))
	var x C
	if n == unsafe.Sizeof(x) {
		x = *(*C)(v)
	} else {
		copyBytes(unsafe.Pointer(&x), v, n)
	}
	if !wait {
		select {
		case ch <- x:
			return true
		default:
			return false
		}
	}
	if done == nil {
		ch <- x
		return true
	}
	select {
	case ch <- x:
		return true
	case <-done:
		return false
	}
}

func receiveFrom[C carrier](p, v unsafe.Pointer, n uintptr, done <-chan struct{}, wait bool) ringState {
	ch := *(*chan C)(unsafe.Pointer(&p))
	var x C
	ok := false
	if !wait {
		select {
		case x, ok = <-ch:
		default:
			return ringEmpty
		}
	} else if done == nil {
		x, ok = <-ch
	} else {
		select {
		case x, ok = <-ch:
		case <-done:
			return ringEmpty
		}
	}
	switch {
	case !ok:
		return ringEnded
	case n == unsafe.Sizeof(x):
		*(*C)(v) = x
	default:
		copyBytes(v, unsafe.Pointer(&x), n)
	}
	return ringDone
}

func newNativeQueue(e elem, size int, counted bool) *nativeQueue {
	c := chansFor(reflect.TypeOf(e.like).Elem())
	q := &nativeQueue{tally: newTally(counted), elem: e, chans: c}
	if c == nil {
		q.boxed, q.chans = true, &chansOfPointers
		q.boxes.New = func() any { return e.room(1) }
	}
	q.ch = q.chans.make(size)
	return q
}

// anyChan is the channel, for what does not depend on its type.
func (q *nativeQueue) anyChan() chan struct{} { return *(*chan struct{})(unsafe.Pointer(&q.ch)) }

func (q *nativeQueue) length() int { return len(q.anyChan()) }

func (q *nativeQueue) close() { q.once.Do(func() { close(q.anyChan()) }) }

func (q *nativeQueue) put(ctx context.Context, v unsafe.Pointer, wait bool) error {
	q.expect()
	if !q.boxed {
		return q.unless(q.send(ctx, v, q.elem.size, wait))
	}
	box := q.boxes.Get().(unsafe.Pointer)
	q.elem.move(box, v)
	err := q.send(ctx, hide(unsafe.Pointer(&box)), unsafe.Sizeof(box), wait)
	if err != nil {
		q.elem.clear(box)
		q.boxes.Put(box)
	}
	return q.unless(err)
}

func (q *nativeQueue) send(ctx context.Context, v unsafe.Pointer, n uintptr, wait bool) (err error) {
	defer func() {
		if recover() != nil {
			err = ErrClosed
		}
	}()
	if wait && ctx.Done() == nil && interrupts.Load() == nil {
		q.chans.send(q.ch, v, n, nil, true)
		return nil
	}
	if q.chans.send(q.ch, v, n, nil, false) {
		return nil
	}
	if !wait {
		return ErrFull
	}
	ctx, release := hosted(ctx)
	defer release()
	if ctx.Err() == nil && q.chans.send(q.ch, v, n, ctx.Done(), true) {
		return nil
	}
	return context.Cause(ctx)
}

func (q *nativeQueue) get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error) {
	if !q.boxed {
		return q.receive(ctx, v, q.elem.size, wait)
	}
	var box unsafe.Pointer
	ok, err = q.receive(ctx, hide(unsafe.Pointer(&box)), unsafe.Sizeof(box), wait)
	if ok {
		q.elem.take(v, box)
		q.boxes.Put(box)
	}
	return ok, err
}

func (q *nativeQueue) receive(ctx context.Context, v unsafe.Pointer, n uintptr, wait bool) (ok bool, err error) {
	if wait && ctx.Done() == nil && interrupts.Load() == nil {
		return received(q.chans.receive(q.ch, v, n, nil, true))
	}
	ok, err = received(q.chans.receive(q.ch, v, n, nil, false))
	if ok || err != nil || !wait {
		return ok, err
	}
	ctx, release := hosted(ctx)
	defer release()
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if ok, err = received(q.chans.receive(q.ch, v, n, ctx.Done(), true)); !ok && err == nil {
		err = context.Cause(ctx)
	}
	return ok, err
}

func received(state ringState) (bool, error) {
	if state == ringEnded {
		return false, ErrClosed
	}
	return state == ringDone, nil
}
