package mp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/internal/process"
)

// A ProcessOption changes how Start and Go start a process: Name, and every Option.
type ProcessOption interface{ process() setting }

// A PoolOption changes how NewPool makes a pool: Workers, Retries,
// TasksPerChild, TaskTimeout, Initializer, and every Option.
type PoolOption interface{ pool() setting }

// An Option is for processes and pools: Grace, Stdout, Stderr and Env.
type Option struct{ set setting }

func (o Option) process() setting { return o.set }
func (o Option) pool() setting    { return o.set }

type processOption struct{ set setting }

func (o processOption) process() setting { return o.set }

type poolOption struct{ set setting }

func (o poolOption) pool() setting { return o.set }

// A setting changes what its argument points to, an options: if its type said
// so, cells would compile what can be reached from there.
type setting func(unsafe.Pointer)

func makeSetting(f func(o *options)) setting {
	return func(p unsafe.Pointer) { f((*options)(p)) }
}

type options struct {
	pool.Options // those of a process are among them
	name         string
	childOnly    string // an option that means nothing to goroutines
	err          error  // of the first option that cannot be followed
}

// fail notes that an option cannot be followed.
func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("mp: "+format, args...)
	}
}

func newOptions() options {
	return options{Options: pool.Options{Options: process.Options{Grace: time.Second}}}
}

// apply follows the options, and checks them for a backend.
func (o *options) apply(b Backend, settings []setting) error {
	for _, set := range settings {
		if set == nil {
			o.fail("an option is nil")
			break
		}
		set(unsafe.Pointer(o))
	}
	if o.err == nil && b == Goroutines && o.childOnly != "" {
		o.fail("%s needs mp.Processes: goroutines are part of this process", o.childOnly)
	}
	return o.err
}

func processOptions(b Backend, opts []ProcessOption) (options, error) {
	settings := make([]setting, len(opts))
	for i, opt := range opts {
		if opt != nil {
			settings[i] = opt.process()
		}
	}
	o := newOptions()
	err := o.apply(b, settings)
	return o, err
}

func poolOptions(b Backend, opts []PoolOption) (options, error) {
	settings := make([]setting, len(opts))
	for i, opt := range opts {
		if opt != nil {
			settings[i] = opt.pool()
		}
	}
	o := newOptions()
	err := o.apply(b, settings)
	return o, err
}

// Name names a process in errors and in String; without it, it has its
// function's name.
func Name(name string) ProcessOption {
	return processOption{makeSetting(func(o *options) { o.name = name })}
}

// Grace is how long a child that was told to end, by Terminate, by its context
// or by its pool, may take until it is killed. Without it, one second.
func Grace(d time.Duration) Option {
	return Option{makeSetting(func(o *options) {
		if o.Grace = d; d < 0 {
			o.fail("Grace(%v): a time cannot be negative", d)
		}
	})}
}

// Stdout sends a child's standard output to w instead of this process's. The
// workers of a pool share w: one writes at a time, and whole lines.
func Stdout(w io.Writer) Option {
	return Option{makeSetting(func(o *options) {
		o.Stdout, o.childOnly = w, "Stdout"
		o.checkWriter(w)
	})}
}

// Stderr sends a child's standard error to w instead of this process's, as
// Stdout does its output. The two may be the same.
func Stderr(w io.Writer) Option {
	return Option{makeSetting(func(o *options) {
		o.Stderr, o.childOnly = w, "Stderr"
		o.checkWriter(w)
	})}
}

func (o *options) checkWriter(w io.Writer) {
	if f, ok := w.(*os.File); w == nil || ok && f == nil {
		o.fail("%s(nil): use io.Discard to drop the output", o.childOnly)
	}
}

// Env adds variables, in the form "NAME=value", to a child's environment.
func Env(vars ...string) Option {
	return Option{makeSetting(func(o *options) {
		o.childOnly = "Env"
		for _, v := range vars {
			if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.ContainsRune(v, 0) {
				o.fail("Env(%q): a variable has the form NAME=value, without zero bytes", v)
			}
		}
		o.Env = append(o.Env, vars...)
	})}
}

// maxWorkers bounds what is taken for a mistake.
const maxWorkers = 1 << 16

// Workers sets how many workers a pool has, at least one, instead of one for
// each core.
func Workers(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Workers = n; n < 1 || n > maxWorkers {
			o.fail("Workers(%d): a pool has between 1 and %d workers; without the option it has one for each core", n, maxWorkers)
		}
	})}
}

// Retries sets how often a task of a pool may begin again after the worker
// process that ran it died. Without it a task begins at most once. An error or
// a panic of the task itself is an outcome, and not retried.
func Retries(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Retries = n; n < 0 {
			o.fail("Retries(%d): it cannot be negative", n)
		}
	})}
}

// TasksPerChild ends a worker process after n tasks, at least one, and starts a
// new one in its place, for functions that leak resources.
func TasksPerChild(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		o.TasksPerChild, o.childOnly = n, "TasksPerChild"
		if n < 1 {
			o.fail("TasksPerChild(%d): a worker does at least one task; leave the option out for no limit", n)
		}
	})}
}

// TaskTimeout limits how long each task of a pool may take, from when it begins,
// including the time in which it waits for other tasks. One that takes longer
// fails with an error that wraps context.DeadlineExceeded, and is not retried.
// Its context ends at the limit. A worker process whose task has not returned by
// the pool's Grace after that is killed and replaced. A goroutine cannot be: its
// task fails when the function returns.
func TaskTimeout(d time.Duration) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.TaskTimeout = call.Timeout(d); d <= 0 {
			o.fail("TaskTimeout(%v): a task takes some time; leave the option out for no limit", d)
		}
	})}
}

// Initializer runs fn(arg) once in each worker of a pool before its first
// task. If it fails the pool does: every task gets its error. A worker that is
// killed meanwhile is replaced.
func Initializer[A any, F Target[A]](fn F, arg A) PoolOption {
	return initialize(call.Of[None, A](fn, true), unsafe.Pointer(&arg))
}

//go:noinline
func initialize(c call.Function, arg unsafe.Pointer) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Initializer = (&pool.Initializer{Call: c, Arg: arg}); c.Fn == nil && o.err == nil {
			o.err = errors.New("mp: the pool's initializer is nil")
		}
	})}
}

// A JobOption changes how Map, ForEach, Stream and StreamUnordered do their work:
// Progress.
type JobOption struct{ set setting }

// jobOptions are those of one Map or stream.
type jobOptions struct {
	report func(done, total int)
	err    error
}

func newJobOptions(opts []JobOption) (o jobOptions, err error) {
	for _, opt := range opts {
		if opt.set == nil {
			return o, errors.New("mp: a JobOption is empty; use Progress")
		}
		opt.set(unsafe.Pointer(&o))
	}
	return o, o.err
}

// Progress has a Map or stream call report as its tasks end, with or without an
// error: done is how many have, and total how many there are, or -1 until a
// stream's sequence has returned. One call is made at a time, in a goroutine, and
// the tasks do not wait for it: calls that a slow report would miss are left out,
// but for the last, in which done is total unless the work ends early. No call
// begins after the Map or the loop has ended, and they wait for one that runs
// unless their context ends. If report panics, the work ends with that error.
func Progress(report func(done, total int)) JobOption {
	return JobOption{func(p unsafe.Pointer) {
		o := (*jobOptions)(p)
		if o.report = report; report == nil {
			o.err = errors.New("mp: Progress(nil): it needs a function to call")
		}
	}}
}
