package cellprofile

import (
	"cmp"
	"fmt"
	"slices"
)

// maxShownProcesses is the greatest number of processes that a flame graph shows separately.
const maxShownProcesses = 8

// A processRow is a process with the sum of its values.
type processRow struct {
	name  string
	first bool
	value int64
}

// processRows returns the processes that have samples: the first process, then the others by descending value.
func (p *Profile) processRows() (list []processRow) {
	sums := map[string]int64{}
	for _, s := range p.samples {
		sums[s.process] += s.value
	}
	for _, one := range p.processes {
		if v := sums[one.Name()]; v > 0 {
			list = append(list, processRow{one.Name(), one.First, v})
		}
	}
	slices.SortStableFunc(list, func(a, b processRow) int {
		if a.first != b.first {
			return map[bool]int{true: -1, false: 1}[a.first]
		}
		return cmp.Compare(b.value, a.value)
	})
	return list
}

// tree returns the tree of calls. If several processes have samples, they are its first level. If there are more than
// maxShownProcesses, one node has the calls of all processes but the first.
func (p *Profile) tree() *node {
	root := &node{name: "all", isGroup: true}
	rows := p.processRows()
	roots := map[string]*node{}
	switch {
	case len(rows) > maxShownProcesses:
		children := &node{isGroup: true}
		for _, r := range rows {
			roots[r.name] = children
			if r.first {
				roots[r.name] = &node{name: r.name, isGroup: true}
				root.children = append(root.children, roots[r.name])
			}
		}
		children.name = fmt.Sprintf("%d children", len(rows)-len(root.children))
		root.children = append(root.children, children)
	case len(rows) > 1:
		for _, r := range rows {
			roots[r.name] = &node{name: r.name, isGroup: true}
			root.children = append(root.children, roots[r.name])
		}
	}
	for _, s := range p.samples {
		if r := roots[s.process]; r != nil {
			root.value += s.value
			r.add(s.calls, s.value)
		} else {
			root.add(s.calls, s.value)
		}
	}
	for _, c := range root.children {
		c.sort()
	}
	if len(roots) == 0 {
		root.sort()
	}
	return root
}

// heading returns the kind of the values, their sum, and the number of processes.
func (p *Profile) heading() string {
	text := p.Kind.isOf + ": " + p.format(p.Total)
	if n := len(p.processes) - len(p.lost()); len(p.processes) > 1 {
		text += fmt.Sprintf(" in %s", count(n, "process", "processes"))
	}
	return text
}

// lost returns sentences about processes whose samples are missing.
func (p *Profile) lost() (list []string) {
	for _, one := range p.processes {
		if one.Problem != "" {
			list = append(list, fmt.Sprintf("%s is missing: %s", one.Name(), one.Problem))
		}
	}
	return list
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
