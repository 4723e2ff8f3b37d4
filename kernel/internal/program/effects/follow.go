package effects

// A follower adds up the effects of a function and of all functions that it calls.
type follower struct {
	nb   Notebook
	sum  Summary
	seen map[string]bool
}

// WithCalls returns s with the effects of all notebook functions that the code calls, directly or through others.
func WithCalls(nb Notebook, s Summary) Summary {
	f := follower{nb: nb, sum: newSummary(), seen: map[string]bool{}}
	f.add(s, nil)
	return f.sum
}

// add adds s. args are the memory that the parameters refer to, by index.
func (f *follower) add(s Summary, args map[int]roots) {
	f.sum.writes.Add(s.writes.Sorted()...)
	f.sum.Inside.Add(s.Inside.Sorted()...)
	f.sum.Assigned.Add(s.Assigned.Sorted()...)
	f.sum.addressed.Add(s.addressed.Sorted()...)
	f.sum.sharing = append(f.sum.sharing, s.sharing...)
	f.sum.process = f.sum.process || s.process
	for i := range s.params {
		f.sum.writes.Add(args[i].variables()...)
		f.sum.Inside.Add(args[i].variables()...)
	}
	for _, c := range s.Calls {
		callee := f.nb.Function(c.Key)
		if callee == nil {
			continue
		}
		passed := map[int]roots{}
		id := c.Key
		for i, r := range c.args {
			passed[i] = r.substitute(args)
			for _, v := range passed[i].variables() {
				id += " " + v
			}
		}
		if !f.seen[id] {
			f.seen[id] = true
			f.add(callee.Summary, passed)
		}
	}
}
