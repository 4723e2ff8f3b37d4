package replay

import "github.com/perijove/perijove/kernel/internal/program/effects"

// A version is a name with the meaning or the content that one run gave it.
type version struct {
	name      string
	at        int  // the run, as an index
	decl      bool // of a function, type or constant
	addressed bool // its content may also change through a pointer
}

// A planner finds out whose work is needed, from the last run to the first.
// Names have versions. Versions that may share memory form a class: a change to
// one may be a change to all of them.
type planner struct {
	entries  []*Entry
	all      bool // as if everything were gone
	alive    func(string) bool
	versions []version
	class    []int          // of each version: union-find
	current  map[string]int // the last version of a name
	made     map[string]int // and the one that declares it

	makes   [][]int // by run: versions that it makes
	touches [][]int // by run: older versions that it may change
	reads   [][]int // by run: versions that it needs
	places  [][]int // by run: versions that must exist, with any content

	live    map[int]bool // versions
	until   map[int]int  // by class: the last run that needs it, as an index
	full    map[int]bool // runs to be repeated
	partial map[int]bool // runs whose declarations are
	// spoiled are variables that exist, and that a repeated run will overwrite:
	// the runs that made them what they are follow it.
	spoiled map[string]bool
}

func newPlanner(entries []*Entry) *planner {
	p := &planner{
		entries: entries, alive: func(string) bool { return false },
		current: map[string]int{}, made: map[string]int{},
		makes: make([][]int, len(entries)), touches: make([][]int, len(entries)), reads: make([][]int, len(entries)),
		places: make([][]int, len(entries)),
		live:   map[int]bool{}, until: map[int]int{}, full: map[int]bool{}, partial: map[int]bool{}, spoiled: map[string]bool{},
	}
	for i, e := range entries {
		p.follow(i, e.Effects)
	}
	return p
}

// follow takes in run i.
func (p *planner) follow(i int, d effects.Effects) {
	p.reads[i] = p.currents(d.Reads)
	p.touches[i] = p.currents(d.Writes)
	seen := map[string]int{}
	for _, id := range p.reads[i] {
		seen[p.versions[id].name] = id
	}
	for _, name := range d.Assigns {
		p.assign(i, name)
	}
	for _, name := range d.Declares {
		p.made[name] = p.make(i, name, false)
		if before, ok := seen[name]; ok {
			p.join(before, p.current[name])
		}
	}
	for _, name := range d.Defines {
		p.make(i, name, true)
	}
	for _, set := range d.Sharing {
		ids := p.currents(set)
		for _, id := range ids {
			p.join(ids[0], id)
		}
	}
	for _, id := range p.currents(d.Addressed) {
		p.versions[id].addressed = true
	}
}

// assign takes in that run i gave an older variable a new value: a version of
// its own, unless others can see the variable through a pointer.
func (p *planner) assign(i int, name string) {
	id, ok := p.current[name]
	if !ok {
		return
	}
	if declared, ok := p.made[name]; ok {
		p.places[i] = append(p.places[i], declared)
	}
	if p.versions[id].addressed {
		p.touches[i] = append(p.touches[i], id)
		return
	}
	p.make(i, name, false)
}

func (p *planner) currents(names []string) []int {
	var out []int
	for _, name := range names {
		if id, ok := p.current[name]; ok {
			out = append(out, id)
		}
	}
	return out
}

func (p *planner) make(i int, name string, decl bool) int {
	id := len(p.versions)
	p.versions = append(p.versions, version{name: name, at: i, decl: decl})
	p.class = append(p.class, id)
	p.makes[i] = append(p.makes[i], id)
	p.current[name] = id
	return id
}

func (p *planner) classOf(id int) int {
	for p.class[id] != id {
		p.class[id] = p.class[p.class[id]]
		id = p.class[id]
	}
	return id
}

func (p *planner) join(a, b int) { p.class[p.classOf(a)] = p.classOf(b) }

// want asks for the last version of a name.
func (p *planner) want(name string) {
	if id, ok := p.current[name]; ok {
		p.require(id, len(p.entries))
	}
}

// require asks for a version that run i needs.
func (p *planner) require(id, i int) {
	v := p.versions[id]
	if v.decl {
		p.live[id] = p.live[id] || p.current[v.name] != id // else the notebook still means this
		return
	}
	if p.alive(v.name) && !p.spoiled[v.name] {
		return
	}
	p.live[id] = true
	c := p.classOf(id)
	p.until[c] = max(p.until[c], i)
}

func (p *planner) requireAll(ids []int, i int) {
	for _, id := range ids {
		p.require(id, i)
	}
}

// plan lists the runs to repeat, in their order.
func (p *planner) plan() []Step {
	for p.repeat() || p.restore() || p.spoil() {
	}
	var out []Step
	for i, e := range p.entries {
		if p.full[i] || p.partial[i] {
			out = append(out, Step{e, !p.full[i]})
		}
	}
	return out
}

// repeat marks the runs whose work is needed and reports whether there were any
// that were not marked.
func (p *planner) repeat() (news bool) {
	setUp := map[string]bool{} // what later runs do to the process
	for i := len(p.entries) - 1; i >= 0; i-- {
		e := p.entries[i]
		process := e.Effects.Process && !setUp[e.Source] && e.Unfit == ""
		setUp[e.Source] = setUp[e.Source] || process
		if p.full[i] || e.Unfit != "" || !e.IsGone && !p.all && !p.spoils(i) || !process && !p.useful(i) {
			continue
		}
		p.full[i] = true
		news = true
		p.requireAll(p.reads[i], i)
		p.requireAll(p.places[i], -1)
	}
	return news
}

// spoil finds the variables that repeated runs overwrite.
func (p *planner) spoil() (news bool) {
	for i := range p.full {
		for _, id := range p.makes[i] {
			v := p.versions[id]
			if !v.decl && !p.spoiled[v.name] && p.alive(v.name) {
				p.spoiled[v.name] = true
				p.want(v.name)
				news = true
			}
		}
	}
	return news
}

// spoils reports whether run i made or changed a variable that is overwritten.
func (p *planner) spoils(i int) bool {
	for _, list := range [][]int{p.makes[i], p.touches[i]} {
		for _, id := range list {
			if v := p.versions[id]; !v.decl && p.spoiled[v.name] {
				return true
			}
		}
	}
	return false
}

// skipped lists the runs that changed what is needed but are unfit to be
// repeated.
func (p *planner) skipped() []*Entry {
	var out []*Entry
	for i, e := range p.entries {
		if e.Unfit == "" || !e.IsGone {
			continue
		}
		for _, id := range p.touches[i] {
			if p.until[p.classOf(id)] > i {
				out = append(out, e)
				break
			}
		}
	}
	return out
}

// useful reports whether run i made or changed what is needed later.
func (p *planner) useful(i int) bool {
	for _, id := range p.makes[i] {
		if p.live[id] && !p.versions[id].decl {
			return true
		}
	}
	for _, id := range p.touches[i] {
		if p.until[p.classOf(id)] > i {
			return true
		}
	}
	return false
}

// restore sees to declarations: an older function, type or constant that a
// repeated run needs is declared again, and after it the newer one.
func (p *planner) restore() (news bool) {
	for i := range p.entries {
		for _, id := range p.makes[i] {
			v := p.versions[id]
			if !v.decl {
				continue
			}
			if p.live[id] {
				news = p.declare(i) || news
			}
			if last := p.current[v.name]; last != id && (p.full[i] || p.partial[i]) {
				news = p.declare(p.versions[last].at) || news
			}
		}
	}
	return news
}

// declare asks for the declarations of run i.
func (p *planner) declare(i int) bool {
	if p.full[i] || p.partial[i] {
		return false
	}
	p.partial[i] = true
	p.requireAll(p.reads[i], i)
	return true
}
