// Package cellprofile reads the profile of a cell, and draws it as a flame graph and tables, for %%prof.
package cellprofile

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/lib/execprofile"
)

// A Profile is the profile of a cell.
type Profile struct {
	Kind    Kind
	Total   int64
	unit    string
	raw     *profile.Profile
	samples []sample
	root    *node

	processes []execprofile.Process
}

// A sample is a list of calls, outermost first, with their value and the name of their process.
type sample struct {
	process string
	calls   []frame
	value   int64
}

// A frame is a call.
type frame struct {
	name, file string
	line       int64
}

// A node is a call in the tree of calls.
type node struct {
	name, file string
	value      int64
	children   []*node
	isGroup    bool // the node is not a call: it stands for all calls, or for the calls of a process
}

// New returns the profile of a cell from the values of kind k in raw. If raw has samples of several processes, the
// label execprofile.Label of a sample names its process. New returns an error if raw has no values of that kind.
func New(k Kind, raw *profile.Profile, processes []execprofile.Process) (*Profile, error) {
	for _, f := range raw.Function {
		f.Name = mangle.Demangle(f.Name)
	}
	p := &Profile{Kind: k, raw: raw, processes: processes}
	index := slices.IndexFunc(raw.SampleType, func(t *profile.ValueType) bool { return t.Type == k.value })
	if index < 0 {
		return nil, fmt.Errorf("cannot show the profile: the profiler recorded no values of the type %s", k.value)
	}
	p.unit = raw.SampleType[index].Unit
	for _, s := range raw.Sample {
		calls := frames(s)
		if s.Value[index] <= 0 || len(calls) == 0 || k.Name == "mutex" && !slices.ContainsFunc(calls, isOutsideRuntime) {
			continue
		}
		process := ""
		if l := s.Label[execprofile.Label]; len(l) > 0 {
			process = l[0]
		}
		p.samples = append(p.samples, sample{process, calls, s.Value[index]})
	}
	p.root = p.tree()
	p.Total = p.root.value
	return p, nil
}

// Save writes the profile to a file, for go tool pprof.
func (p *Profile) Save(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return cmp.Or(p.raw.Write(f), f.Close())
}

const (
	// kernelPackages is the prefix of the packages of the worker process.
	kernelPackages = "github.com/perijove/perijove/kernel/internal/"
	// cellCall and cellCallFile are the name and the file of the function of the worker process that calls a cell. The
	// worker process gives it the name of the function that calls main.
	cellCall     = "runtime.main"
	cellCallFile = "/kernel/internal/worker/run.go"
	// profilerCell is the function of the cells that start and stop the profiler.
	profilerCell = "main.cell.0"
	// preemption is the call that the runtime adds to a function to preempt it. On a busy machine, the signal of the profiler
	// often arrives together with that of the preemption.
	preemption = "runtime.asyncPreempt"
	// childRun and childListen are methods of a child process: childRun calls the functions that the parent sends,
	// and childListen receives them. When a child receives code, packages of the worker process load it.
	childRun    = childPackages + "child.(*Entry).run"
	childListen = childPackages + "child.(*Entry).listen"
	// childCall is the prefix of the functions that call a user's function, with values of any type.
	childCall = childPackages + "call."
	// profiling is the prefix of the functions with which a child profiles itself, and profileWriter is the prefix of
	// those of the runtime.
	profiling     = childPackages + "profiling."
	profileWriter = "runtime/pprof.profileWriter"
	childPackages = "github.com/perijove/perijove/lib/mp/internal/"
)

// isOutsideRuntime is false for the calls of the scheduler, which takes locks too.
func isOutsideRuntime(f frame) bool { return !strings.HasPrefix(f.name, "runtime.") }

// frames returns the calls of a sample, outermost first, without the calls of the worker process around a
// cell. It returns nil for a sample of the worker process itself or of the profiler.
func frames(s *profile.Sample) []frame {
	var list []frame
	isOwn, inChild := false, false
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) {
			if line.Function == nil {
				continue
			}
			f := frame{line.Function.Name, line.Function.Filename, line.Line}
			switch {
			case f.name == cellCall && strings.HasSuffix(f.file, cellCallFile), f.name == childRun:
				list, isOwn, inChild = list[:0], false, f.name == childRun
			case f.name == profilerCell, f.name == profileWriter, strings.HasPrefix(f.name, profiling):
				return nil
			case isOfWorker(f.name, list):
				isOwn = true
			case !strings.HasPrefix(f.name, kernelPackages): // else it is called in place of a function of package os
				f.name = withoutTypes(f.name)
				list = append(list, f)
			}
		}
	}
	if isOwn {
		return nil
	}
	for i := len(list) - 2; i >= 0 && inChild; i-- {
		if strings.HasPrefix(list[i].name, childCall) {
			list = list[i+1:]
			break
		}
	}
	if i := slices.IndexFunc(list, func(f frame) bool { return f.name == preemption }); i > 0 {
		return list[:i]
	}
	return list
}

// withoutTypes returns the name of a generic function with [...] in place of its type arguments, as in a traceback.
func withoutTypes(name string) string {
	from, to := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if from < 0 || to < from {
		return name
	}
	return name[:from] + "[...]" + name[to+1:]
}

// isOfWorker reports whether a call, which is made by callers, belongs to the worker process
// itself.
func isOfWorker(name string, callers []frame) bool {
	return strings.HasPrefix(name, kernelPackages) && (!slices.ContainsFunc(callers, isOutsideRuntime) || callers[0].name == childListen) ||
		strings.HasPrefix(name, kernelPackages+"worker.Main")
}

func (n *node) add(list []frame, value int64) {
	n.value += value
	if len(list) == 0 {
		return
	}
	f := list[0]
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == f.name && c.file == f.file })
	if i < 0 {
		i = len(n.children)
		n.children = append(n.children, &node{name: f.name, file: f.file})
	}
	n.children[i].add(list[1:], value)
}

func (n *node) sort() {
	slices.SortStableFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.name, b.name))
	})
	for _, c := range n.children {
		c.sort()
	}
}

// Share returns the share of a function in the total, from 0 to 1: flat is without, and total with, the functions
// that it calls.
func (p *Profile) Share(function string) (flat, total float64) {
	for _, r := range p.functions() {
		if r.name == function {
			return share(r.flat, p.Total), share(r.total, p.Total)
		}
	}
	return 0, 0
}

func share(v, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(v) / float64(of)
}

// format writes a value with its unit.
func (p *Profile) format(v int64) string {
	switch p.unit {
	case "nanoseconds":
		return time.Duration(v).Round(10 * time.Microsecond).String()
	case "bytes":
		for _, u := range []struct {
			size int64
			name string
		}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
			if v >= u.size {
				return fmt.Sprintf("%.3g %s", float64(v)/float64(u.size), u.name)
			}
		}
		return fmt.Sprintf("%d B", v)
	}
	return fmt.Sprint(v)
}
