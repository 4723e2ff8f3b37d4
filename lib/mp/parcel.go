package mp

import (
	"context"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// A function is what a pool knows of a function that it was given.
type function struct {
	def definition // of a process's function
	pc  uintptr
}

// A jobState is what the scheduler knows of a job: one Map, one stream, or the
// submitted tasks of one function. Guarded by pool.mu.
type jobState struct {
	fn       *function
	perTask  time.Duration // how long tasks take, smoothed; 0 before the first
	size     int           // of the next batch
	stopped  error         // why no more of its tasks begin
	encoding int           // batches whose arguments are being encoded
}

// A job is a source of tasks.
type job interface {
	state() *jobState
	// take returns at most max tasks, or nil if there are none now; left is how
	// many remain, or -1 if that is not known. Called with pool.mu held.
	take(max int) parcel
	left() int
}

// A parcel is a row of tasks of one job with their arguments and places for
// the results. It is not changed by being divided.
type parcel interface {
	state() *jobState
	size() int
	part(from, to int) parcel
	tries() int
	retry() parcel // the same with one more try
	// abandoned lists which of the first n tasks nobody waits for.
	abandoned(n int) []int
	// encode appends arguments until there are limit bytes, and returns how
	// many; if the first cannot be encoded it returns 0 and why.
	encode(w *writer, limit int) (int, error)
	// deliver stores the outcomes of r.done tasks from the given place on.
	deliver(from int, r *reply) error
	fail(from, to int, err error)
	// call runs task i here and stores its outcome; settle tells the job that
	// the outcomes of a range are stored.
	call(i int)
	settle(from, to int)
}

// A chunk is the parcel for argument and result types.
type chunk[A, R any] struct {
	st      *jobState
	run     func(i int, a A) (R, error)        // in this process; i is the place in the job
	sink    func(c *chunk[A, R], from, to int) // the outcomes of a range are there
	base    int                                // place of args[0] in the job
	args    []A
	out     []R
	errs    *faults
	attempt int
	dropped func(i int) bool // nobody waits for the task at place i in the job; may be nil
}

// Faults are the errors of a chunk's tasks, by place in the job. Most chunks
// have none.
type faults struct {
	mu sync.Mutex
	m  map[int]error
}

func (f *faults) set(i int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.m == nil {
		f.m = make(map[int]error)
	}
	f.m[i] = err
}

func (f *faults) get(i int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.m[i]
}

func (f *faults) none() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.m) == 0
}

func (c *chunk[A, R]) state() *jobState { return c.st }
func (c *chunk[A, R]) size() int        { return len(c.args) }
func (c *chunk[A, R]) tries() int       { return c.attempt }

func (c *chunk[A, R]) part(from, to int) parcel {
	p := *c
	p.base, p.args, p.out = c.base+from, c.args[from:to:to], c.out[from:to:to]
	return &p
}

func (c *chunk[A, R]) retry() parcel {
	p := *c
	p.attempt++
	return &p
}

func (c *chunk[A, R]) abandoned(n int) (places []int) {
	for i := 0; c.dropped != nil && i < n; i++ {
		if c.dropped(c.base + i) {
			places = append(places, i)
		}
	}
	return places
}

func (c *chunk[A, R]) encode(w *writer, limit int) (int, error) {
	codec, err := codecOf(reflect.TypeFor[A]())
	if err != nil {
		return 0, err
	}
	if codec.fixed && codec.size > 0 {
		n := min(len(c.args), max(1, limit/int(codec.size)))
		codec.putAll(w, unsafe.Pointer(unsafe.SliceData(c.args)), n)
		return n, nil
	}
	for i := range c.args {
		mark := len(w.b)
		codec.put(w, unsafe.Pointer(&c.args[i]))
		if w.err != nil {
			err := within("argument of "+describe(c.st.fn.pc), w.failure(codec))
			*w = writer{b: w.b[:mark]}
			if i > 0 {
				err = nil // it will be the first of the next batch
			}
			return i, err
		}
		if len(w.b) >= limit {
			return i + 1, nil
		}
	}
	return len(c.args), nil
}

func (c *chunk[A, R]) deliver(from int, r *reply) error {
	codec, err := codecOf(reflect.TypeFor[R]())
	if err != nil {
		return err
	}
	if codec.fixed && len(r.errs) == 0 && uintptr(len(r.values.b)) == uintptr(r.done)*codec.size {
		codec.getAll(&r.values, unsafe.Pointer(unsafe.SliceData(c.out[from:])), r.done)
	} else {
		c.deliverEach(codec, from, r)
	}
	c.settle(from, from+r.done)
	return nil
}

// deliverEach stores outcomes one by one. A result that its own type refuses
// is the error of its task alone.
func (c *chunk[A, R]) deliverEach(codec *codec, from int, r *reply) {
	errs := r.errs
	for i := range r.done {
		if len(errs) > 0 && errs[0].at == i {
			c.errs.set(c.base+from+i, decodeError(errs[0].text))
			errs = errs[1:]
			continue
		}
		place := &c.out[from+i]
		codec.get(&r.values, unsafe.Pointer(place))
		if err := codec.cannotReceive(r.values.outcome()); err != nil {
			*place = *new(R)
			c.errs.set(c.base+from+i, err)
		}
	}
	if r.values.err == nil && len(r.values.b) > 0 {
		c.errs.set(c.base+from, codec.cannotReceive(errMalformed))
	}
}

func (c *chunk[A, R]) fail(from, to int, err error) {
	for i := from; i < to; i++ {
		c.errs.set(c.base+i, err)
	}
	c.settle(from, to)
}

func (c *chunk[A, R]) settle(from, to int) {
	if from < to {
		c.sink(c, from, to)
	}
}

func (c *chunk[A, R]) call(i int) {
	if c.dropped != nil && c.dropped(c.base+i) {
		c.errs.set(c.base+i, context.Canceled)
		return
	}
	r, err := c.run(c.base+i, c.args[i])
	if err != nil {
		c.errs.set(c.base+i, err)
		return
	}
	c.out[i] = r
}

// err returns the error of task i, which is settled.
func (c *chunk[A, R]) err(i int) error { return c.errs.get(c.base + i) }
