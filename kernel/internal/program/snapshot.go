package program

import (
	"maps"

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

// change begins a change of the state and returns the function that ends it. A
// Build that is under way ends first; queries do not wait for either.
func (p *Program) change() (end func()) {
	p.building.Lock()
	p.mu.Lock()
	if p.shared {
		p.state, p.shared = p.state.clone(), false
	}
	return func() {
		p.mu.Unlock()
		p.building.Unlock()
	}
}

// snapshot returns the program as it was last committed, for a query: it does
// not change, and asking it does not wait for a Build. What is not known of a
// package yet it leaves out rather than wait long.
func (p *Program) snapshot() *Program {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shared = true
	return &Program{cfg: p.cfg, pkgs: p.pkgs.ForQuery(), state: p.state, isSnapshot: true}
}
