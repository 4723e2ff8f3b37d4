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
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// A ProcessOption is an option of Start, Go and NewGroup: Name, or any Option.
type ProcessOption interface{ process() setting }

// A PoolOption is an option of NewPool: Workers, Retries, TasksPerChild, TaskTimeout,
// Initializer, or any Option.
type PoolOption interface{ pool() setting }

// An Option is an option of processes and pools: Grace, Stdout, Stderr or Env.
type Option struct{ set setting }

func (o Option) process() setting { return o.set }
func (o Option) pool() setting    { return o.set }

type processOption struct{ set setting }

func (o processOption) process() setting { return o.set }

type poolOption struct{ set setting }

func (o poolOption) pool() setting { return o.set }

// A setting changes the options that its argument points to. The argument is an
// unsafe.Pointer to keep type options out of notebook cells: a cell compiles every type that
// it can reach.
type setting func(unsafe.Pointer)

func makeSetting(f func(o *options)) setting {
	return func(p unsafe.Pointer) { f((*options)(p)) }
}

type options struct {
	pool.Options // includes the options of a process
	name         string
	childOnly    string // the last given option that goroutines do not support, or ""
	err          error  // the error of the first invalid option
}

// fail records the error of an invalid option, if it is the first.
func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("mp: invalid option: "+format, args...)
	}
}

func newOptions() options {
	return options{Options: pool.Options{Options: process.Options{Grace: time.Second}}}
}

// apply applies the settings to o, and checks that b supports them.
func (o *options) apply(b Backend, settings []setting) error {
	for _, set := range settings {
		if set == nil {
			o.fail("an option is nil")
			break
		}
		set(unsafe.Pointer(o))
	}
	if o.err == nil && b == Goroutines && o.childOnly != "" {
		o.fail("%s needs mp.Processes, since goroutines are part of this process", o.childOnly)
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
	o := newOptions()
	err := o.apply(b, poolSettings(opts))
	return o, err
}

func poolSettings(opts []PoolOption) []setting {
	settings := make([]setting, len(opts))
	for i, opt := range opts {
		if opt != nil {
			settings[i] = opt.pool()
		}
	}
	return settings
}

// remoteOptions returns the options of a pool whose tasks run elsewhere.
func remoteOptions(opts []PoolOption) (*mpremote.PoolOptions, error) {
	o := newOptions()
	o.Retries = mpremote.DefaultRetries
	err := o.apply(Processes, poolSettings(opts))
	if err == nil && o.Options.Workers != 0 {
		err = fmt.Errorf("mp: Workers(%d): the tasks of this pool run on workers that exist already, so the option does not apply; "+
			"leave it out, and start workers with the method Workers of the Cluster", o.Options.Workers)
	}
	if err != nil {
		return nil, err
	}
	return mpremote.NewPoolOptions(&o.Options)
}

// Name sets the name of a process in errors and in String. The default is the name of
// its function.
func Name(name string) ProcessOption {
	return processOption{makeSetting(func(o *options) { o.name = name })}
}

// Grace sets how long a child may take to end when it is told to end: by Terminate, by the
// end of its context, or by its pool. After that it is killed. The default is one second.
func Grace(d time.Duration) Option {
	return Option{makeSetting(func(o *options) {
		if o.Grace = d; d < 0 {
			o.fail("Grace(%v): the time cannot be negative", d)
		}
	})}
}

// Stdout sends a child's standard output to w instead of this process's. The workers of
// a pool share w: they write one at a time, and only whole lines.
func Stdout(w io.Writer) Option {
	return Option{makeSetting(func(o *options) {
		o.Stdout, o.childOnly = w, "Stdout"
		o.checkWriter(w)
	})}
}

// Stderr sends a child's standard error to w instead of this process's, as Stdout does
// for standard output. Both may have the same w.
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

// maxWorkers is the largest number of workers; a larger number is treated as a mistake.
const maxWorkers = 1 << 16

// Workers sets the number of workers of a pool, which must be at least 1. The default is
// one worker for each core: see Cores.
func Workers(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Workers = n; n < 1 || n > maxWorkers {
			o.fail("Workers(%d): the number must be between 1 and %d; leave the option out for one worker per core", n, maxWorkers)
		}
	})}
}

// Retries sets how often a task of a pool may begin again after the worker process that
// ran it died. The default is 0. A task that returns an error or panics is not retried.
func Retries(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Retries = n; n < 0 {
			o.fail("Retries(%d): the number cannot be negative", n)
		}
	})}
}

// TasksPerChild replaces a worker process by a new one after n tasks; n must be at least 1.
// Use it for functions that leak resources.
func TasksPerChild(n int) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		o.TasksPerChild, o.childOnly = n, "TasksPerChild"
		if n < 1 {
			o.fail("TasksPerChild(%d): the number must be at least 1; leave the option out for no limit", n)
		}
	})}
}

// TaskTimeout limits how long each task of a pool may run, including the time in which
// it waits for other tasks. At the limit the task's context ends. A task that takes
// longer fails with an error that wraps context.DeadlineExceeded, and is not retried.
// If a task has not returned when the pool's Grace has passed after the limit, its
// worker process is killed and replaced. A goroutine cannot be killed: its task fails
// when the function returns.
func TaskTimeout(d time.Duration) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.TaskTimeout = call.Timeout(d); d <= 0 {
			o.fail("TaskTimeout(%v): the time must be positive; leave the option out for no limit", d)
		}
	})}
}

// Initializer runs fn(arg) once in each worker of a pool, before the worker's first
// task. If it fails, the pool fails: every task gets its error. A worker that is killed
// while it runs fn is replaced.
func Initializer[A any, F Target[A]](fn F, arg A) PoolOption {
	return initialize(call.Of[None, A](fn, true), unsafe.Pointer(&arg))
}

//go:noinline
func initialize(c call.Function, arg unsafe.Pointer) PoolOption {
	return poolOption{makeSetting(func(o *options) {
		if o.Initializer = (&pool.Initializer{Call: c, Arg: arg}); c.Fn == nil && o.err == nil {
			o.err = errors.New("mp: invalid option: the function of Initializer is nil")
		}
	})}
}

// A JobOption is an option of Map, ForEach, Stream and StreamUnordered: Progress.
type JobOption struct{ set setting }

// jobOptions are the options of one Map or Stream.
type jobOptions struct {
	report func(done, total int)
	err    error
}

func newJobOptions(opts []JobOption) (o jobOptions, err error) {
	for _, opt := range opts {
		if opt.set == nil {
			return o, errors.New("mp: invalid option: a JobOption is its zero value; make it with Progress")
		}
		opt.set(unsafe.Pointer(&o))
	}
	return o, o.err
}

// Progress makes a Map or Stream call report as its tasks end. done is how many tasks
// have ended, with or without an error. total is the number of tasks, or -1 until a
// Stream's sequence has returned.
//
// report runs in a separate goroutine, one call at a time, and the tasks do not wait
// for it. If report is slow, calls are skipped. In the last call done is equal to
// total, unless the Map or Stream ends early. No call begins after the Map or the loop
// has ended. The Map and the loop wait for a running call, unless their context ends. If
// report panics, the Map or Stream ends with that error.
func Progress(report func(done, total int)) JobOption {
	return JobOption{func(p unsafe.Pointer) {
		o := (*jobOptions)(p)
		if o.report = report; report == nil {
			o.err = errors.New("mp: invalid option: the function of Progress is nil")
		}
	}}
}
