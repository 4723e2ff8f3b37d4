package wire

import (
	"math"
	"time"
)

// Encode returns the message of b. Its strings have at most MaxString bytes, and it has as
// many Numbers as Args.
func (b *Batch) Encode() []byte {
	var w writer
	w.string(b.Pool)
	w.uint(b.ID)
	w.int(b.Tries)
	w.int(b.MaxValue)
	w.strings(b.FuncID, b.FuncName, b.Arg, b.Result, b.Function)
	w.bytes(b.Hash[:])
	w.value(b.Settings)
	w.int(len(b.Args))
	before := uint64(0)
	for i, a := range b.Args {
		w.value(a)
		w.uint(b.Numbers[i] - before) // mostly 1
		before = b.Numbers[i]
	}
	return seal(kindBatch, w.b)
}

// DecodeBatch decodes the message of a Batch. Its values are parts of msg.
func DecodeBatch(msg []byte) (*Batch, error) {
	r, err := open(kindBatch, msg)
	if err != nil {
		return nil, err
	}
	b := &Batch{Pool: r.string(), ID: r.uint(), Tries: r.int(math.MaxInt32), MaxValue: r.int(math.MaxInt64)}
	b.FuncID, b.FuncName, b.Arg, b.Result, b.Function = r.string(), r.string(), r.string(), r.string(), r.string()
	b.Hash = r.hash()
	b.Settings = r.argument()
	n := r.int(MaxTasks)
	if n > r.fits(3) {
		r.fail()
		n = 0
	}
	b.Args, b.Numbers = make([]Value, 0, n), make([]uint64, 0, n)
	before := uint64(0)
	for range n {
		b.Args = append(b.Args, r.argument())
		before += r.uint()
		b.Numbers = append(b.Numbers, before)
	}
	if err := r.end("a batch of tasks"); err != nil {
		return nil, err
	}
	return b, nil
}

// Encode returns the message of s.
func (s *Result) Encode() []byte {
	var w writer
	w.string(s.Pool)
	w.uint(s.Batch)
	w.string(s.Worker)
	w.uint(uint64(s.Elapsed))
	w.ints(s.Indexes)
	for _, v := range s.Values {
		w.value(v)
	}
	w.bytes(s.Stdout)
	w.bytes(s.Stderr)
	w.bytes(s.Broken)
	return seal(kindResult, w.b)
}

// DecodeResult decodes the message of a Result. Its values are parts of msg.
func DecodeResult(msg []byte) (*Result, error) {
	r, err := open(kindResult, msg)
	if err != nil {
		return nil, err
	}
	s := &Result{Pool: r.string(), Batch: r.uint(), Worker: r.string(), Elapsed: time.Duration(r.int(math.MaxInt64)), Indexes: r.ints(MaxTasks - 1)}
	for range s.Indexes {
		s.Values = append(s.Values, r.value())
	}
	s.Stdout, s.Stderr, s.Broken = r.bytes(), r.bytes(), r.bytes()
	if err := r.end("results"); err != nil {
		return nil, err
	}
	return s, nil
}

// Encode returns the message of c.
func (c *Cancel) Encode() []byte {
	var w writer
	w.string(c.Pool)
	w.uint(c.Batch)
	w.ints(c.Indexes)
	return seal(kindCancel, w.b)
}

// DecodeCancel decodes the message of a Cancel.
func DecodeCancel(msg []byte) (*Cancel, error) {
	r, err := open(kindCancel, msg)
	if err != nil {
		return nil, err
	}
	c := &Cancel{Pool: r.string(), Batch: r.uint(), Indexes: r.ints(MaxTasks - 1)}
	if err := r.end("a cancellation"); err != nil {
		return nil, err
	}
	return c, nil
}

// Encode returns the message of k.
func (k *Worker) Encode() []byte {
	var w writer
	w.string(k.ID)
	w.text(k.Host)
	w.text(k.Program)
	w.int(k.PID)
	w.bytes(k.Build[:])
	for _, n := range []int{k.Slots, k.Running, k.Done, k.Failed, k.Restarts} {
		w.int(n)
	}
	w.int(int(k.Interval))
	w.bool(k.Leaving)
	w.bool(k.Offers)
	return seal(kindWorker, w.b)
}

// maxInterval limits the Interval of a Worker.
const maxInterval = time.Hour

// DecodeWorker decodes the message of a Worker.
func DecodeWorker(msg []byte) (*Worker, error) {
	r, err := open(kindWorker, msg)
	if err != nil {
		return nil, err
	}
	k := &Worker{ID: r.string(), Host: r.string(), Program: r.string(), PID: r.int(math.MaxInt32)}
	k.Build = r.hash()
	for _, n := range []*int{&k.Slots, &k.Running, &k.Done, &k.Failed, &k.Restarts} {
		*n = r.int(math.MaxInt64)
	}
	k.Interval = time.Duration(r.int(int(maxInterval)))
	k.Leaving, k.Offers = r.bool(), r.bool()
	if err := r.end("a worker"); err != nil {
		return nil, err
	}
	return k, nil
}

// Encode returns the message of p.
func (p *Pool) Encode() []byte {
	var w writer
	w.string(p.ID)
	w.bool(p.Closed)
	return seal(kindPool, w.b)
}

// DecodePool decodes the message of a Pool.
func DecodePool(msg []byte) (*Pool, error) {
	r, err := open(kindPool, msg)
	if err != nil {
		return nil, err
	}
	p := &Pool{ID: r.string(), Closed: r.bool()}
	if err := r.end("a pool"); err != nil {
		return nil, err
	}
	return p, nil
}

// Encode returns the message of d.
func (d *DeadLetter) Encode() []byte {
	var w writer
	w.string(d.Pool)
	w.uint(d.Batch)
	w.int(d.Index)
	w.text(d.FuncName)
	w.text(d.Error)
	w.int(d.Tries)
	w.string(d.Worker)
	w.value(d.Arg)
	return seal(kindDeadLetter, w.b)
}

// DecodeDeadLetter decodes the message of a DeadLetter.
func DecodeDeadLetter(msg []byte) (*DeadLetter, error) {
	r, err := open(kindDeadLetter, msg)
	if err != nil {
		return nil, err
	}
	d := &DeadLetter{Pool: r.string(), Batch: r.uint(), Index: r.int(MaxTasks - 1), FuncName: r.string(), Error: r.string(),
		Tries: r.int(math.MaxInt32), Worker: r.string(), Arg: r.value()}
	if err := r.end("a dead letter"); err != nil {
		return nil, err
	}
	return d, nil
}
