package mp

import (
	"io"
	"time"
)

// An Option changes how a process is started.
type Option func(*options)

type options struct {
	name           string
	grace          time.Duration
	stdout, stderr io.Writer
	env            []string
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
