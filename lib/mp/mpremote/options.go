package mpremote

import (
	"io"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// PoolOptions are the options of a pool whose tasks a Runner runs.
type PoolOptions struct {
	Retries        int // number given to mp.Retries, or DefaultRetries if the option was not given
	TasksPerChild  int // number of tasks after which a process is replaced; 0 for no limit
	TaskTimeout    time.Duration
	Grace          time.Duration
	Env            []string
	Stdout, Stderr io.Writer    // nil for standard output and standard error of this process
	Initializer    *Initializer // the call that each process runs first, or nil
}

// DefaultRetries is the value of Retries in PoolOptions if the option was not given.
const DefaultRetries = -1

// DefaultGrace is the value of Grace in PoolOptions if the option was not given.
const DefaultGrace = time.Second

// An Initializer is the call with which each worker process of a pool begins: a function
// and its encoded argument.
type Initializer struct {
	Func *Func
	Arg  []byte
}

// NewPoolOptions returns the options in o. It fails with mp.ErrNoEntry in a program that did
// not call mp.Init, and if the initializer cannot be sent.
func NewPoolOptions(o *pool.Options) (*PoolOptions, error) {
	p := &PoolOptions{Retries: o.Retries, TasksPerChild: o.TasksPerChild, TaskTimeout: time.Duration(o.TaskTimeout),
		Grace: o.Grace, Env: o.Env, Stdout: o.Stdout, Stderr: o.Stderr}
	if o.Initializer == nil {
		return p, nil
	}
	h, err := mphost.Current()
	if err != nil {
		return nil, err
	}
	in := &Initializer{}
	if in.Func, err = describe(h, &o.Initializer.Call); err != nil {
		return nil, failure.Wrap("cannot send the pool's initializer", err)
	}
	err = failure.Catch(func() (err error) {
		in.Arg, err = o.Initializer.Call.Arg.Encode(o.Initializer.Arg)
		return err
	})
	if err != nil {
		return nil, failure.Wrap("argument of the pool's initializer", err)
	}
	p.Initializer = in
	return p, nil
}

// decode returns the Initializer with its function in this process.
func (in *Initializer) decode(h mphost.Host) (*pool.Initializer, error) {
	f, err := lookup(h, in.Func)
	if err != nil {
		return nil, err
	}
	c := *f
	arg := c.Arg.Room(1)
	err = failure.Catch(func() error { return decodeArgument(&c, in.Arg, arg, in.Func.Hash != mpsource.Hash{}) })
	if err != nil {
		return nil, failure.Wrap("argument of the pool's initializer", err)
	}
	return &pool.Initializer{Call: c, Arg: arg}, nil
}

// Check returns an error if this process does not have the initializer's function, or cannot
// decode its argument.
func (in *Initializer) Check() error {
	h, err := mphost.Current()
	if err == nil {
		_, err = in.decode(h)
	}
	return err
}

// lookup returns the function of f in this process. It checks that its types are those of f,
// so that no argument is decoded as another type.
func lookup(h mphost.Host, f *Func) (*call.Function, error) {
	if f.Hash != (mpsource.Hash{}) {
		return registeredFunction(f)
	}
	c, err := find(h, f)
	if err != nil {
		return nil, missing(f, err)
	}
	return c, sameTypes(c, f)
}
