package profiling

import (
	"cmp"
	"os"
	"runtime"
	"runtime/pprof"
)

// A profiler describes a kind of profile.
type profiler struct {
	kind   string
	lookup string // the profile of runtime/pprof; "" for the CPU profile
	counts bool   // it counts from the start of the process, not of the profile
	before func() // makes the counts up to date; may be nil
	enable func(on bool)
}

var profilers = []profiler{
	{kind: "cpu"},
	// The profile has all earlier allocations only after two collections.
	{kind: "mem", lookup: "allocs", counts: true, before: func() { runtime.GC(); runtime.GC() }},
	{kind: "block", lookup: "block", counts: true, enable: func(on bool) { runtime.SetBlockProfileRate(bit(on)) }},
	{kind: "mutex", lookup: "mutex", counts: true, enable: func(on bool) { runtime.SetMutexProfileFraction(bit(on)) }},
	{kind: "goroutine", lookup: "goroutine"},
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Kinds lists the kinds of profiles: cpu, mem, block, mutex and goroutine.
func Kinds() (list []string) {
	for _, p := range profilers {
		list = append(list, p.kind)
	}
	return list
}

// A run is the profile of this process while it is made.
type run struct {
	profiler
	folder string
	cpu    *os.File
}

// begin starts the profiler.
func begin(folder, kind string) (r *run, err error) {
	r = &run{folder: folder}
	for _, p := range profilers {
		if p.kind == kind {
			r.profiler = p
		}
	}
	switch {
	case r.lookup == "":
		if r.cpu, err = os.Create(r.unpublished()); err == nil {
			err = pprof.StartCPUProfile(r.cpu)
		}
	case r.counts:
		err = r.write(path(folder, beforeName, os.Getpid()))
	}
	switch {
	case err != nil:
		r.cpu.Close()
		_ = os.Remove(r.unpublished())
	case r.enable != nil:
		r.enable(true)
	}
	return r, err
}

// unpublished returns the name of the profile while it is written.
func (r *run) unpublished() string { return path(r.folder, profileName, os.Getpid()) + ".new" }

// stop ends the profiler and writes the profile, but does not publish it.
func (r *run) stop() error {
	if r.cpu != nil {
		pprof.StopCPUProfile()
		return r.cpu.Close()
	}
	err := r.write(r.unpublished())
	if r.enable != nil {
		r.enable(false)
	}
	return err
}

func (r *run) write(name string) error {
	if r.before != nil {
		r.before()
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return cmp.Or(pprof.Lookup(r.lookup).WriteTo(f, 0), f.Close())
}

// publish gives the profile its name, so that readers see a whole file or none.
func (r *run) publish() error {
	return os.Rename(r.unpublished(), path(r.folder, profileName, os.Getpid()))
}
