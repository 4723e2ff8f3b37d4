package program

import (
	"maps"
	"slices"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A state is what a Program knows of its notebook: what its names mean, and
// what it was told of the worker. It is copied on write: a snapshot shares it
// until the next change.
type state struct {
	names    map[string]*symbol
	methods  map[string]map[string]*symbol // by receiver type, then by key
	users    map[string]map[*symbol]bool   // by name: the live symbols that refer to it
	imports  map[string]string             // import paths by local name
	dots     []string                      // dot-imported paths
	blanks   []string                      // imported for their effect; emptied once loaded
	allBlank []string
	aside    map[string]*asideSymbol
	uninit   uninitialized
	lost     map[string]int // variables that went with a worker: name to cell
	sources  map[int]*origin
	links    map[string]linkName         // the newest link symbol of a variable or function
	saw      map[string]map[*symbol]bool // by function: those compiled with its body in sight
	holders  map[*symbol]bool            // statements with literals that follow constants
	stubbed  map[string]bool             // link symbols of functions' literals that do
	altered  map[string]bool             // variables that some cell may have changed since their first value
	sharing  [][]string                  // sets of variables that may share memory
	last     *checked

	instances map[string]map[string]instance // by generic function or type, then by arguments
	structs   map[string]*typetext.Text      // struct types without a name that embed types of the notebook
	valued    map[string]bool                // methods that function literals use or that are values, with a dot before
	removed   map[string]*symbol             // methods that were removed since the worker last loaded a unit
	dropped   map[string]bool                // link symbols of variables and functions that no name means any more
}

func newState() *state {
	return &state{
		names:   map[string]*symbol{},
		methods: map[string]map[string]*symbol{},
		users:   map[string]map[*symbol]bool{},
		imports: map[string]string{},
		aside:   map[string]*asideSymbol{},
		uninit:  uninitialized{retry: map[string]bool{}},
		lost:    map[string]int{},
		sources: map[int]*origin{},
		links:   map[string]linkName{},
		saw:     map[string]map[*symbol]bool{},
		holders: map[*symbol]bool{},
		stubbed: map[string]bool{},
		altered: map[string]bool{},

		instances: map[string]map[string]instance{},
		structs:   map[string]*typetext.Text{},
		valued:    map[string]bool{},
		removed:   map[string]*symbol{},
		dropped:   map[string]bool{},
	}
}

// clone copies the state, without the symbols, which do not change in what
// queries look at.
func (s *state) clone() *state {
	c := *s
	c.names, c.imports, c.aside = maps.Clone(s.names), maps.Clone(s.imports), maps.Clone(s.aside)
	c.lost, c.sources, c.links = maps.Clone(s.lost), maps.Clone(s.sources), maps.Clone(s.links)
	c.uninit = uninitialized{maps.Clone(s.uninit.packages), maps.Clone(s.uninit.retry)}
	c.methods, c.users = cloneDeep(s.methods), cloneDeep(s.users)
	c.altered, c.holders, c.stubbed = maps.Clone(s.altered), maps.Clone(s.holders), maps.Clone(s.stubbed)
	c.saw, c.instances = cloneDeep(s.saw), cloneDeep(s.instances)
	c.structs, c.valued, c.removed = maps.Clone(s.structs), maps.Clone(s.valued), maps.Clone(s.removed)
	c.dropped = maps.Clone(s.dropped)
	c.dots = s.dots[:len(s.dots):len(s.dots)]
	c.blanks = s.blanks[:len(s.blanks):len(s.blanks)]
	c.allBlank = s.allBlank[:len(s.allBlank):len(s.allBlank)]
	return &c
}

func cloneDeep[K, L comparable, V any](m map[K]map[L]V) map[K]map[L]V {
	c := make(map[K]map[L]V, len(m))
	for k, inner := range m {
		c[k] = maps.Clone(inner)
	}
	return c
}

// sees notes which bodies the compiler had when it compiled s.
func (t *state) sees(s *symbol, bodies []string) {
	for _, key := range bodies {
		if key == s.key {
			continue
		}
		if t.saw[key] == nil {
			t.saw[key] = map[*symbol]bool{}
		}
		t.saw[key][s] = true
	}
	s.bodies = bodies
}

// define gives s's names their new meaning.
func (t *state) define(s *symbol) {
	for _, name := range s.names() {
		if old := t.names[name]; old != nil {
			t.override(old, name)
		}
		t.replaceAside(name)
		delete(t.lost, name)
		if s.recv == "" {
			delete(t.imports, name)
		}
	}
	t.add(s)
}

// override takes one name from an older symbol. A group of constants stays for
// its other names.
func (t *state) override(old *symbol, name string) {
	t.remove(old)
	if rest := old.without(name); rest != nil {
		t.add(rest)
	}
}

// replaceAside forgets a name that is set aside, and keeps the constants beside it.
func (t *state) replaceAside(name string) {
	for key, a := range t.aside {
		if !slices.Contains(a.names(), name) {
			continue
		}
		delete(t.aside, key)
		if rest := a.without(name); rest != nil {
			t.aside[rest.key] = &asideSymbol{rest, a.reason}
		}
	}
}

func (t *state) add(s *symbol) {
	delete(t.dropped, s.linkSymbol())
	for _, name := range s.names() {
		t.names[name] = s
	}
	if s.recv != "" {
		if t.methods[s.recv] == nil {
			t.methods[s.recv] = map[string]*symbol{}
		}
		t.methods[s.recv][s.key] = s
	}
	for _, name := range s.references() {
		if t.users[name] == nil {
			t.users[name] = map[*symbol]bool{}
		}
		t.users[name][s] = true
	}
}

func (t *state) remove(s *symbol) {
	if s.kind == cell.Var || s.kind == cell.Func {
		t.dropped[s.linkSymbol()] = true
	}
	for _, name := range s.names() {
		if t.names[name] == s {
			delete(t.names, name)
		}
	}
	if m := t.methods[s.recv]; m != nil && m[s.key] == s {
		delete(m, s.key)
	}
	for _, name := range s.references() {
		delete(t.users[name], s)
	}
	for _, key := range s.bodies {
		delete(t.saw[key], s)
	}
}

func sortedAside(m map[string]*asideSymbol) []*asideSymbol {
	out := make([]*asideSymbol, 0, len(m))
	for _, a := range m {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// symbols lists the live symbols by cell and place.
func (t *state) symbols() []*symbol {
	seen := map[*symbol]bool{}
	var out []*symbol
	for _, s := range t.names {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	sortSymbols(out)
	return out
}

func sortSymbols(list []*symbol) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.origin.n != b.origin.n {
			return a.origin.n < b.origin.n
		}
		if a.decl != nil && b.decl != nil && a.decl.Pos != b.decl.Pos {
			if a.decl.Pos.Line != b.decl.Pos.Line {
				return a.decl.Pos.Line < b.decl.Pos.Line
			}
			return a.decl.Pos.Col < b.decl.Pos.Col
		}
		return a.key < b.key
	})
}

// dependents returns the declarations that depend on one of the packages, directly or through others, each with one of
// them.
func (t *state) dependents(paths []string) map[*symbol]string {
	found := map[*symbol]string{}
	var todo []*symbol
	add := func(s *symbol, path string) {
		if _, ok := found[s]; !ok {
			found[s] = path
			todo = append(todo, s)
		}
	}
	for _, s := range t.symbols() {
		if path := s.mentions(paths); path != "" {
			add(s, path)
		}
	}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		for _, name := range s.names() {
			for user := range t.users[name] {
				add(user, found[s])
			}
		}
	}
	return found
}

// uninitialized are the packages that the worker could not initialize.

// usersOf lists the live symbols that refer to a name.
func (t *state) usersOf(name string) []*symbol {
	var list []*symbol
	for s := range t.users[name] {
		if t.names[s.key] == s && s.key != name {
			list = append(list, s)
		}
	}
	sortSymbols(list)
	return list
}
