package program

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// Effects tells what a cell does to the notebook's variables, as far as its
// source shows; where that leaves a doubt, it tells more. Names are those of
// the notebook, methods are "T.m".
type Effects struct {
	Declares []string // variables that the cell makes
	Defines  []string // functions, methods, types and constants that it declares
	Assigns  []string // older variables that get a new value as a whole, the old one unseen
	Writes   []string // older variables that it may change
	Reads    []string // what it needs of the notebook, with what that needs in turn
	// Links are sets of variables that may share memory from now on: to change
	// one may change the others.
	Links [][]string
	// Addressed are variables whose address is known to others, or that a
	// function literal refers to.
	Addressed []string
	// Process says that the cell changes what belongs to the process and is no
	// variable of the notebook: http's handlers, flags, the log's settings.
	Process bool
}

// A summary is what a function does to variables, apart from what the
// functions of the notebook do that it calls.
type summary struct {
	writes    names        // notebook variables
	deep      names        // those of writes that are not just given a new value
	sets      names        // those of writes that are given a new value
	addressed names        // notebook variables
	links     [][2]names   // pairs of variables that may share memory
	params    map[int]bool // may change what these refer to; -1 is the receiver
	calls     []summaryCall
	process   bool
}

func newSummary() summary {
	return summary{writes: names{}, deep: names{}, sets: names{}, addressed: names{}, params: map[int]bool{}}
}

// A summaryCall is a call of a notebook function. args are what its parameters
// may refer to; nil if it is called by somebody else.
type summaryCall struct {
	key  string
	args map[int]roots
}

type names map[string]bool

func (n names) add(list ...string) {
	for _, s := range list {
		n[s] = true
	}
}

func (n names) sorted() []string {
	out := make([]string, 0, len(n))
	for s := range n {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// noteEffects summarizes the functions whose bodies were checked, and then
// what the cell does.
func (b *builder) noteEffects(r *result, in map[*symbol]form) {
	sc := newScan(b, r, in)
	for _, f := range r.files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Body == nil || fd.Recv == nil && fd.Name.Name == b.entryName() {
				continue
			}
			if owner := r.owner(fd.Name.Pos()); owner != nil && owner.kind == cell.Func {
				owner.does = sc.function(fd)
				p := sc.purityOf(fd.Body)
				owner.purity = &p
			}
		}
	}
	e := Effects{Reads: b.needs(in)}
	var entry summary
	if fd := r.entryDecl(b.entryName()); fd != nil {
		entry = sc.function(fd)
	}
	for _, s := range b.specs {
		sc.initializers(&entry, r, s)
	}
	for _, s := range b.decls {
		if s.isInit() || s.key == "main" {
			entry.calls = append(entry.calls, summaryCall{key: s.key})
		}
		e.Defines = append(e.Defines, s.names()...)
	}
	b.settleEffects(&e, entry)
	b.effects = e
}

// settleEffects follows the calls of the cell's statements.
func (b *builder) settleEffects(e *Effects, entry summary) {
	total := follower{b: b, sum: newSummary(), seen: map[string]bool{}}
	total.add(entry, nil)
	declared := names{}
	for name := range b.vars {
		declared.add(name)
	}
	e.Declares = declared.sorted()
	read := names{}
	read.add(e.Reads...)
	assigned := names{}
	for name := range b.assigned() {
		if !read[name] && !declared[name] {
			assigned.add(name)
		}
	}
	e.Assigns = assigned.sorted()
	writes := names{}
	for name := range total.sum.writes {
		if !assigned[name] && (!declared[name] || read[name]) {
			writes.add(name)
		}
	}
	for name := range total.throughNew(declared) {
		if read[name] {
			writes.add(name)
		}
	}
	for _, s := range b.reset {
		writes.add(s.key)
	}
	e.Writes = writes.sorted()
	e.Addressed = total.sum.addressed.sorted()
	e.Process = total.sum.process
	for _, l := range total.sum.links {
		set := names{}
		set.add(l[0].sorted()...)
		set.add(l[1].sorted()...)
		if len(set) > 1 {
			e.Links = append(e.Links, set.sorted())
		}
	}
}

// assigned lists the older variables that a statement at the cell's top gives
// a value, and that are named nowhere else in the cell.
func (b *builder) assigned() names {
	count := map[string]int{}
	first := names{}
	for _, st := range b.stmts {
		for _, r := range st.Refs {
			count[r.Name]++
		}
		for _, name := range st.Assigned {
			first.add(name)
		}
	}
	out := names{}
	for name := range first {
		if count[name] == 1 {
			out.add(name)
		}
	}
	return out
}

// needs lists the notebook names that the cell needs to be what they are now.
func (b *builder) needs(in map[*symbol]form) []string {
	seen, fresh := names{}, names{}
	only := b.assigned()
	var todo []*symbol
	add := func(s *symbol) {
		if s == nil || seen[s.key] || fresh[s.key] {
			return
		}
		if s.origin == b.o {
			fresh.add(s.key)
		} else {
			seen.add(s.names()...)
		}
		todo = append(todo, s)
	}
	for _, s := range b.decls {
		add(s)
	}
	for _, v := range b.vars {
		todo = append(todo, v)
	}
	for _, st := range b.stmts {
		for _, r := range st.Refs {
			if !r.Top && b.before[r.Name].kind == notebook && !only[r.Name] {
				add(b.lookupBefore(r.Name))
			}
		}
	}
	for _, s := range b.specs {
		for _, r := range s.source.Refs {
			if s.owner.binds[r.Name].kind == notebook {
				add(b.lookup(r.Name))
			}
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		s := todo[0]
		for _, name := range s.references() {
			add(b.lookup(name))
		}
		if s.kind == cell.Type {
			for key := range b.p.methods[s.key] {
				add(b.lookup(key))
			}
		}
	}
	return seen.sorted()
}

// A follower adds up what a function and those that it calls do.
type follower struct {
	b    *builder
	sum  summary
	seen map[string]bool
}

// add takes s, whose parameters refer to args.
func (f *follower) add(s summary, args map[int]roots) {
	f.sum.writes.add(s.writes.sorted()...)
	f.sum.deep.add(s.deep.sorted()...)
	f.sum.sets.add(s.sets.sorted()...)
	f.sum.addressed.add(s.addressed.sorted()...)
	f.sum.links = append(f.sum.links, s.links...)
	f.sum.process = f.sum.process || s.process
	for i := range s.params {
		f.sum.writes.add(args[i].variables()...)
		f.sum.deep.add(args[i].variables()...)
	}
	for _, c := range s.calls {
		callee := f.b.lookup(c.key)
		if callee == nil || callee.kind != cell.Func {
			continue
		}
		passed := map[int]roots{}
		id := c.key
		for i, r := range c.args {
			passed[i] = r.within(args)
			for _, v := range passed[i].variables() {
				id += " " + v
			}
		}
		if !f.seen[id] {
			f.seen[id] = true
			f.add(callee.does, passed)
		}
	}
}

// throughNew lists what the cell may change through the variables it makes.
func (f *follower) throughNew(declared names) names {
	out := names{}
	for _, l := range f.sum.links {
		for _, side := range l {
			for name := range side {
				if declared[name] && f.sum.deep[name] {
					out.add(l[0].sorted()...)
					out.add(l[1].sorted()...)
				}
			}
		}
	}
	return out
}

// refers reports whether values of a type hold references to other memory.
func refers(t types.Type) bool { return refersIn(t, map[types.Type]bool{}) }

func refersIn(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return refersIn(u.Elem(), seen)
	case *types.Struct:
		for i := range u.NumFields() {
			if refersIn(u.Field(i).Type(), seen) {
				return true
			}
		}
		return false
	case *types.Tuple:
		for i := range u.Len() {
			if refersIn(u.At(i).Type(), seen) {
				return true
			}
		}
		return false
	}
	return true
}
