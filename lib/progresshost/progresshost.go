// Package progresshost connects functions that work for long, such as mp.Map and
// speedup.Measure, with a host that shows how far they are: a kernel's worker. It
// imports nothing that shows things, so programs without a host carry none of it.
package progresshost

import "sync/atomic"

// A Task is work that a host may show.
type Task struct {
	What  string                   // such as "mp.Map"
	Count func() (done, total int) // can be called at any time until the task ends
}

// A Host takes a task and returns the function that ends it. Both are called
// concurrently. end returns once Count is not called any more.
type Host func(Task) (end func())

// host is process-wide: a process has one notebook at most.
var host atomic.Pointer[Host]

// SetHost makes f receive the tasks of this process; nil means that nothing shows
// them.
func SetHost(f Host) {
	if f == nil {
		host.Store(nil)
		return
	}
	host.Store(&f)
}

// Begin tells the host of a task. The caller calls end when it is over.
func Begin(t Task) (end func()) {
	if f := host.Load(); f != nil {
		return (*f)(t)
	}
	return func() {}
}

// Hosted reports whether there is a host.
func Hosted() bool { return host.Load() != nil }
