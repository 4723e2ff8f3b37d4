// Package progresshost connects long-running functions, such as mp.Map and
// speedup.Measure, with a host that shows their progress, such as the worker process of a
// kernel. It does not import package display, so a program without a host does not link it.
package progresshost

import "sync/atomic"

// A Task is work that a host may show.
type Task struct {
	What  string                   // name of the work, such as "mp.Map"
	Count func() (done, total int) // returns the progress; can be called at any time until the task ends
}

// A Host shows the progress of a task until end is called. A Host and its end
// functions may be called concurrently. After end has returned, the host does not call
// the task's Count.
type Host func(Task) (end func())

// host is process-wide: a process has one notebook at most.
var host atomic.Pointer[Host]

// SetHost makes f receive the tasks of this process; nil removes the host.
func SetHost(f Host) {
	if f == nil {
		host.Store(nil)
		return
	}
	host.Store(&f)
}

// Begin passes a task to the host. The caller must call end when the task ends.
// Without a host, Begin and end do nothing. Begin can be called concurrently.
func Begin(t Task) (end func()) {
	if f := host.Load(); f != nil {
		return (*f)(t)
	}
	return func() {}
}

// Hosted reports whether there is a host.
func Hosted() bool { return host.Load() != nil }
