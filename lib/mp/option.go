package mp

import (
	"io"
	"time"
	"unsafe"
)

// An Option changes how a process or the processes of a pool are started.
type Option func(*options)

type options struct {
	name           string
	grace          time.Duration
	stdout, stderr io.Writer
	env            []string
	workers        int
	retries        int
	tasksPerChild  int
	initializer    *initializer
}

func newOptions(opts []Option) options {
	o := options{grace: time.Second}
	for _, f := range opts {
		f(&o)
	}
	return o
}

// Name names a process in errors and in String; without it, it has its
// function's name.
func Name(name string) Option { return func(o *options) { o.name = name } }

// Grace is how long a child that was told to end, by Terminate or by its
// context, may take until it is killed. Without it, one second.
func Grace(d time.Duration) Option { return func(o *options) { o.grace = d } }

// Stdout sends a child's standard output to w instead of this process's.
func Stdout(w io.Writer) Option { return func(o *options) { o.stdout = w } }

// Stderr sends a child's standard error to w instead of this process's.
func Stderr(w io.Writer) Option { return func(o *options) { o.stderr = w } }

// Env adds variables, in the form "NAME=value", to a child's environment.
func Env(vars ...string) Option { return func(o *options) { o.env = append(o.env, vars...) } }

// Workers sets how many workers a pool has, instead of one for each core.
func Workers(n int) Option { return func(o *options) { o.workers = n } }

// Retries sets how often a task of a pool may begin again after the worker
// process that ran it died. Without it a task begins at most once. An error or
// a panic of the task itself is an outcome, and not retried.
func Retries(n int) Option { return func(o *options) { o.retries = n } }

// TasksPerChild ends a worker process after n tasks and starts a new one in
// its place, for functions that leak what only the end of a process frees.
func TasksPerChild(n int) Option { return func(o *options) { o.tasksPerChild = n } }

// Initializer runs fn(arg) once in each worker of a pool before its first
// task. If it fails the pool does: every task gets its error.
func Initializer[A any, F Target[A]](fn F, arg A) Option {
	return initialize(calleeOf[None, A](fn, true), unsafe.Pointer(&arg))
}

//go:noinline
func initialize(c callee, arg unsafe.Pointer) Option {
	return func(o *options) { o.initializer = &initializer{call: c, arg: arg} }
}
