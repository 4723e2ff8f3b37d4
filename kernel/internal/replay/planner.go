package replay

import "github.com/perijove/perijove/kernel/internal/program/effects"

// A version is a name with the declaration or the value that one run gave it.
type version struct {
	name          string
	run           int  // the run, as an index
	isDeclaration bool // the version is a declaration of a function, type or constant
	isAddressed   bool // its value may also change through a pointer
}

// A planner finds the runs whose effects are needed, from the last to the first.
// Names have versions. Versions that may share memory form a class: a change of
// one may change all of them.
type planner struct {
	entries       []*Entry
	assumeAllLost bool // plan as if everything were lost
	isAlive       func(string) bool
	versions      []version
	class         []int          // by version: its class, as a union-find structure
	current       map[string]int // the last version of a name
	declared      map[string]int // the last version of a name that a declaration made

	makes     [][]int // by run: versions that it makes
	changes   [][]int // by run: older versions that it may change
	reads     [][]int // by run: versions that it needs
	mustExist [][]int // by run: versions that must exist, with any value

	needed      map[int]bool // the versions that are needed
	neededUntil map[int]int  // by class: the last run that needs it, as an index
	repeated    map[int]bool // runs to be repeated as a whole
	redeclared  map[int]bool // runs of which only the declarations are to be repeated
	// overwritten has the variables that exist and that a repeated run will overwrite. The
	// later runs that gave them their present values must be repeated, too.
	overwritten map[string]bool
}

func newPlanner(entries []*Entry) *planner {
	p := &planner{
		entries: entries, isAlive: func(string) bool { return false },
		current: map[string]int{}, declared: map[string]int{},
		makes: make([][]int, len(entries)), changes: make([][]int, len(entries)), reads: make([][]int, len(entries)),
		mustExist: make([][]int, len(entries)),
		needed:    map[int]bool{}, neededUntil: map[int]int{}, repeated: map[int]bool{}, redeclared: map[int]bool{}, overwritten: map[string]bool{},
	}
	for i, e := range entries {
		p.addRun(i, e.Effects)
	}
	return p
}

// addRun adds run i with its effects.
func (p *planner) addRun(i int, d effects.Effects) {
	p.reads[i] = p.currentVersions(d.Reads)
	p.changes[i] = p.currentVersions(d.Writes)
	seen := map[string]int{}
	for _, id := range p.reads[i] {
		seen[p.versions[id].name] = id
	}
	for _, name := range d.Assigns {
		p.assign(i, name)
	}
	for _, name := range d.Declares {
		p.declared[name] = p.addVersion(i, name, false)
		if before, ok := seen[name]; ok {
			p.join(before, p.current[name])
		}
	}
	for _, name := range d.Defines {
		p.addVersion(i, name, true)
	}
	for _, set := range d.Sharing {
		ids := p.currentVersions(set)
		for _, id := range ids {
			p.join(ids[0], id)
		}
	}
	for _, id := range p.currentVersions(d.Addressed) {
		p.versions[id].isAddressed = true
	}
}

// assign records that run i assigned a value to an existing variable. That makes a new
// version, unless the variable is reachable through pointers.
func (p *planner) assign(i int, name string) {
	id, ok := p.current[name]
	if !ok {
		return
	}
	if declared, ok := p.declared[name]; ok {
		p.mustExist[i] = append(p.mustExist[i], declared)
	}
	if p.versions[id].isAddressed {
		p.changes[i] = append(p.changes[i], id)
		return
	}
	p.addVersion(i, name, false)
}

func (p *planner) currentVersions(names []string) []int {
	var out []int
	for _, name := range names {
		if id, ok := p.current[name]; ok {
			out = append(out, id)
		}
	}
	return out
}

func (p *planner) addVersion(i int, name string, decl bool) int {
	id := len(p.versions)
	p.versions = append(p.versions, version{name: name, run: i, isDeclaration: decl})
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

// requireName marks the last version of a name as needed.
func (p *planner) requireName(name string) {
	if id, ok := p.current[name]; ok {
		p.require(id, len(p.entries))
	}
}

// require marks a version as needed by run i.
func (p *planner) require(id, i int) {
	v := p.versions[id]
	if v.isDeclaration {
		p.needed[id] = p.needed[id] || p.current[v.name] != id // the current version need not be declared again
		return
	}
	if p.isAlive(v.name) && !p.overwritten[v.name] {
		return
	}
	p.needed[id] = true
	c := p.classOf(id)
	p.neededUntil[c] = max(p.neededUntil[c], i)
}

func (p *planner) requireAll(ids []int, i int) {
	for _, id := range ids {
		p.require(id, i)
	}
}

// plan returns the runs to repeat, in their order.
func (p *planner) plan() []Step {
	for p.markRuns() || p.markDeclarations() || p.findOverwritten() {
	}
	var out []Step
	for i, e := range p.entries {
		if p.repeated[i] || p.redeclared[i] {
			out = append(out, Step{e, !p.repeated[i]})
		}
	}
	return out
}

// markRuns marks the runs whose effects are needed as repeated, and reports whether it has
// marked any.
func (p *planner) markRuns() (changed bool) {
	setUp := map[string]bool{} // sources of later runs that change the process
	for i := len(p.entries) - 1; i >= 0; i-- {
		e := p.entries[i]
		process := e.Effects.Process && !setUp[e.Source] && e.Unfit == ""
		setUp[e.Source] = setUp[e.Source] || process
		if p.repeated[i] || e.Unfit != "" || !e.IsGone && !p.assumeAllLost && !p.changesOverwritten(i) || !process && !p.isNeeded(i) {
			continue
		}
		p.repeated[i] = true
		changed = true
		p.requireAll(p.reads[i], i)
		p.requireAll(p.mustExist[i], -1)
	}
	return changed
}

// findOverwritten adds the variables that repeated runs overwrite, and reports whether there
// were new ones.
func (p *planner) findOverwritten() (changed bool) {
	for i := range p.repeated {
		for _, id := range p.makes[i] {
			v := p.versions[id]
			if !v.isDeclaration && !p.overwritten[v.name] && p.isAlive(v.name) {
				p.overwritten[v.name] = true
				p.requireName(v.name)
				changed = true
			}
		}
	}
	return changed
}

// changesOverwritten reports whether run i made or changed a variable that is overwritten.
func (p *planner) changesOverwritten(i int) bool {
	for _, list := range [][]int{p.makes[i], p.changes[i]} {
		for _, id := range list {
			if v := p.versions[id]; !v.isDeclaration && p.overwritten[v.name] {
				return true
			}
		}
	}
	return false
}

// skipped returns the runs that changed needed versions but must not be repeated.
func (p *planner) skipped() []*Entry {
	var out []*Entry
	for i, e := range p.entries {
		if e.Unfit == "" || !e.IsGone {
			continue
		}
		for _, id := range p.changes[i] {
			if p.neededUntil[p.classOf(id)] > i {
				out = append(out, e)
				break
			}
		}
	}
	return out
}

// isNeeded reports whether run i made a version that is needed, or changed one that is needed after it.
func (p *planner) isNeeded(i int) bool {
	for _, id := range p.makes[i] {
		if p.needed[id] && !p.versions[id].isDeclaration {
			return true
		}
	}
	for _, id := range p.changes[i] {
		if p.neededUntil[p.classOf(id)] > i {
			return true
		}
	}
	return false
}

// markDeclarations marks runs whose declarations are to be repeated. A repeated run may need an older declaration of a
// function, type or constant; the run with the current declaration of that name is then repeated after it.
func (p *planner) markDeclarations() (changed bool) {
	for i := range p.entries {
		for _, id := range p.makes[i] {
			v := p.versions[id]
			if !v.isDeclaration {
				continue
			}
			if p.needed[id] {
				changed = p.markDeclared(i) || changed
			}
			if last := p.current[v.name]; last != id && (p.repeated[i] || p.redeclared[i]) {
				changed = p.markDeclared(p.versions[last].run) || changed
			}
		}
	}
	return changed
}

// markDeclared marks that the declarations of run i must be repeated. It returns false if they
// are marked already.
func (p *planner) markDeclared(i int) bool {
	if p.repeated[i] || p.redeclared[i] {
		return false
	}
	p.redeclared[i] = true
	p.requireAll(p.reads[i], i)
	return true
}
