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
)

// A Profile is the profile of a cell.
type Profile struct {
	Kind    Kind
	Total   int64
	unit    string
	raw     *profile.Profile
	samples []sample
	root    *node
}

// A sample is a list of calls, outermost first, with their value.
type sample struct {
	calls []frame
	value int64
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
}

// Read reads a profile, without what is in the profile before; "" if there is none.
func Read(k Kind, before, after string) (*Profile, error) {
	raw, err := parse(after)
	if err != nil {
		return nil, err
	}
	if before != "" {
		base, err := parse(before)
		if err != nil {
			return nil, err
		}
		base.Scale(-1)
		if raw, err = profile.Merge([]*profile.Profile{raw, base}); err != nil {
			return nil, err
		}
	}
	for _, f := range raw.Function {
		f.Name = mangle.Demangle(f.Name)
	}
	p := &Profile{Kind: k, raw: raw, root: &node{name: "all"}}
	index := slices.IndexFunc(raw.SampleType, func(t *profile.ValueType) bool { return t.Type == k.value })
	if index < 0 {
		return nil, fmt.Errorf("the profile has no values of the type %s", k.value)
	}
	p.unit = raw.SampleType[index].Unit
	for _, s := range raw.Sample {
		calls := frames(s)
		if s.Value[index] <= 0 || len(calls) == 0 || k.Name == "mutex" && !slices.ContainsFunc(calls, isOutsideRuntime) {
			continue
		}
		p.samples = append(p.samples, sample{calls, s.Value[index]})
		p.root.add(calls, s.Value[index])
	}
	p.root.sort()
	p.Total = p.root.value
	return p, nil
}

func parse(name string) (*profile.Profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return profile.Parse(f)
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
	// kernelPackages is the prefix of the packages of the worker.
	kernelPackages = "github.com/perijove/perijove/kernel/internal/"
	// cellCall and cellCallFile are of the function of the worker that calls a cell. The worker gives it the name of the
	// function that calls main.
	cellCall     = "runtime.main"
	cellCallFile = "/kernel/internal/worker/run.go"
	// profilerCell is the function of the cells that start and stop the profiler.
	profilerCell = "main.cell.0"
	// preemption is the call that the runtime adds to a function to preempt it. On a busy machine, the signal of the profiler
	// often arrives together with that of the preemption.
	preemption = "runtime.asyncPreempt"
)

// isOutsideRuntime is false for the calls of the scheduler, which takes locks too.
func isOutsideRuntime(f frame) bool { return !strings.HasPrefix(f.name, "runtime.") }

// frames returns the calls of a sample, outermost first, without those of the worker around a cell. It returns
// nil if the sample is of the worker or the profiler.
func frames(s *profile.Sample) []frame {
	var list []frame
	isOwn := false
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) {
			switch {
			case line.Function == nil:
			case line.Function.Name == cellCall && strings.HasSuffix(line.Function.Filename, cellCallFile):
				list, isOwn = list[:0], false
			case line.Function.Name == profilerCell:
				return nil
			default:
				isOwn = isOwn || !slices.ContainsFunc(list, isOutsideRuntime) && strings.HasPrefix(line.Function.Name, kernelPackages) || strings.HasPrefix(line.Function.Name, kernelPackages+"worker.Main")
				list = append(list, frame{line.Function.Name, line.Function.Filename, line.Line})
			}
		}
	}
	if isOwn {
		return nil
	}
	if i := slices.IndexFunc(list, func(f frame) bool { return f.name == preemption }); i > 0 {
		return list[:i]
	}
	return list
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

// Share returns the share of a function, without and with the functions that it calls.
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
