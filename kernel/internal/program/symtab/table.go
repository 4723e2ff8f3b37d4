package symtab

import (
	"maps"
	"slices"
	"sort"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A Table holds the meanings of a notebook's names, and facts about the code that the worker process has loaded for
// them. A Snapshot shares the Table, so the Program copies the Table before the next change.
type Table struct {
	Names           map[string]*Symbol
	Methods         map[string]map[string]*Symbol // methods by receiver type, then by key
	Users           map[string]map[*Symbol]bool   // for each name, the live symbols that refer to it
	Imports         map[string]string             // import paths by local name
	DotImports      []string                      // paths of the packages that are imported with a dot
	PendingBlanks   []string                      // packages imported for their side effects that the next unit must import
	BlankImports    []string                      // all packages imported for their side effects
	Aside           map[string]*AsideSymbol       // symbols that are set aside, by key
	Uninitialized   Uninitialized
	Lost            map[string]int // variables that were lost with a worker process, and for each the number of its cell
	Cells           map[int]*Origin
	Results         map[int]*Result             // types of the values that cells have shown
	LinkNames       map[string]LinkName         // for each variable or function, its newest link symbol
	TypeLayouts     map[string]string           // the last layout of each type, also of removed types
	CompiledWith    map[string]map[*Symbol]bool // for each function, by key, the symbols whose unit contained the body of the function
	LiteralHolders  map[*Symbol]bool            // see Changes.LiteralHolders
	StubbedLiterals map[string]bool             // link symbols of function literals that have a stub
	Altered         map[string]bool             // variables that a cell may have changed after they got their initial values
	Sharing         [][]string                  // sets of variables that may share memory
	LastCheck       *Check

	Instances      map[string]map[string]Instance // instances, by generic function or type, then by arguments
	Structs        map[string]*typetext.Text      // struct types without a name that embed types of the notebook
	MethodValues   map[string]bool                // methods that function literals call or that are used as values, with a leading dot
	RemovedMethods map[string]*Symbol             // methods that were removed since the worker process last loaded a unit
	Unnamed        map[string]bool                // link symbols of variables and functions to which no name refers any more
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{
		Names:           map[string]*Symbol{},
		Methods:         map[string]map[string]*Symbol{},
		Users:           map[string]map[*Symbol]bool{},
		Imports:         map[string]string{},
		Aside:           map[string]*AsideSymbol{},
		Uninitialized:   Uninitialized{Retry: map[string]bool{}},
		Lost:            map[string]int{},
		Cells:           map[int]*Origin{},
		Results:         map[int]*Result{},
		LinkNames:       map[string]LinkName{},
		TypeLayouts:     map[string]string{},
		CompiledWith:    map[string]map[*Symbol]bool{},
		LiteralHolders:  map[*Symbol]bool{},
		StubbedLiterals: map[string]bool{},
		Altered:         map[string]bool{},

		Instances:      map[string]map[string]Instance{},
		Structs:        map[string]*typetext.Text{},
		MethodValues:   map[string]bool{},
		RemovedMethods: map[string]*Symbol{},
		Unnamed:        map[string]bool{},
	}
}

// Clone copies the table but not the symbols, since the fields of symbols that queries read do not change.
func (t *Table) Clone() *Table {
	c := *t
	c.Names, c.Imports, c.Aside = maps.Clone(t.Names), maps.Clone(t.Imports), maps.Clone(t.Aside)
	c.Lost, c.Cells, c.LinkNames, c.TypeLayouts = maps.Clone(t.Lost), maps.Clone(t.Cells), maps.Clone(t.LinkNames), maps.Clone(t.TypeLayouts)
	c.Uninitialized = Uninitialized{maps.Clone(t.Uninitialized.Failures), maps.Clone(t.Uninitialized.Retry)}
	c.Methods, c.Users = cloneDeep(t.Methods), cloneDeep(t.Users)
	c.Altered, c.LiteralHolders, c.StubbedLiterals = maps.Clone(t.Altered), maps.Clone(t.LiteralHolders), maps.Clone(t.StubbedLiterals)
	c.CompiledWith, c.Instances = cloneDeep(t.CompiledWith), cloneDeep(t.Instances)
	c.Structs, c.MethodValues, c.RemovedMethods = maps.Clone(t.Structs), maps.Clone(t.MethodValues), maps.Clone(t.RemovedMethods)
	c.Unnamed, c.Results = maps.Clone(t.Unnamed), maps.Clone(t.Results)
	c.DotImports = t.DotImports[:len(t.DotImports):len(t.DotImports)]
	c.PendingBlanks = t.PendingBlanks[:len(t.PendingBlanks):len(t.PendingBlanks)]
	c.BlankImports = t.BlankImports[:len(t.BlankImports):len(t.BlankImports)]
	return &c
}

func cloneDeep[K, L comparable, V any](m map[K]map[L]V) map[K]map[L]V {
	c := make(map[K]map[L]V, len(m))
	for k, inner := range m {
		c[k] = maps.Clone(inner)
	}
	return c
}

// noteBodies records the functions whose bodies were in the unit that s was compiled in.
func (t *Table) noteBodies(s *Symbol, bodies []string) {
	for _, key := range bodies {
		if key == s.Key {
			continue
		}
		if t.CompiledWith[key] == nil {
			t.CompiledWith[key] = map[*Symbol]bool{}
		}
		t.CompiledWith[key][s] = true
	}
	s.Bodies = bodies
}

// define makes s the meaning of its names.
func (t *Table) define(s *Symbol) {
	for _, name := range s.Names() {
		if old := t.Names[name]; old != nil {
			t.Override(old, name)
		}
		t.replaceAside(name)
		delete(t.Lost, name)
		if s.Recv == "" {
			delete(t.Imports, name)
		}
	}
	t.add(s)
}

// Override removes one name from an older symbol. A group of constants stays live with
// its other names.
func (t *Table) Override(old *Symbol, name string) {
	t.Remove(old)
	if rest := old.Without(name); rest != nil {
		t.add(rest)
	}
}

// replaceAside removes a name from the symbols that are set aside. A group of constants stays with its other names.
func (t *Table) replaceAside(name string) {
	for key, a := range t.Aside {
		if !slices.Contains(a.Names(), name) {
			continue
		}
		delete(t.Aside, key)
		if rest := a.Without(name); rest != nil {
			t.Aside[rest.Key] = &AsideSymbol{rest, a.Reason}
		}
	}
}

// add makes a symbol live.
func (t *Table) add(s *Symbol) {
	delete(t.Unnamed, s.LinkSymbol())
	for _, name := range s.Names() {
		t.Names[name] = s
	}
	if s.Recv != "" {
		if t.Methods[s.Recv] == nil {
			t.Methods[s.Recv] = map[string]*Symbol{}
		}
		t.Methods[s.Recv][s.Key] = s
	}
	for _, name := range s.References() {
		if t.Users[name] == nil {
			t.Users[name] = map[*Symbol]bool{}
		}
		t.Users[name][s] = true
	}
}

// Remove removes a symbol from the table.
func (t *Table) Remove(s *Symbol) {
	if s.Kind == cell.Var || s.Kind == cell.Func {
		t.Unnamed[s.LinkSymbol()] = true
	}
	for _, name := range s.Names() {
		if t.Names[name] == s {
			delete(t.Names, name)
		}
	}
	if m := t.Methods[s.Recv]; m != nil && m[s.Key] == s {
		delete(m, s.Key)
	}
	for _, name := range s.References() {
		delete(t.Users[name], s)
	}
	for _, key := range s.Bodies {
		delete(t.CompiledWith[key], s)
	}
}

// SortedAside returns symbols that are set aside, sorted by key.
func SortedAside(m map[string]*AsideSymbol) []*AsideSymbol {
	out := make([]*AsideSymbol, 0, len(m))
	for _, a := range m {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// Symbols returns the live symbols, sorted by cell and position.
func (t *Table) Symbols() []*Symbol {
	seen := map[*Symbol]bool{}
	var out []*Symbol
	for _, s := range t.Names {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	SortSymbols(out)
	return out
}

// SortSymbols sorts symbols by cell and position.
func SortSymbols(list []*Symbol) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Origin.Cell != b.Origin.Cell {
			return a.Origin.Cell < b.Origin.Cell
		}
		if a.Decl != nil && b.Decl != nil && a.Decl.Pos != b.Decl.Pos {
			if a.Decl.Pos.Line != b.Decl.Pos.Line {
				return a.Decl.Pos.Line < b.Decl.Pos.Line
			}
			return a.Decl.Pos.Col < b.Decl.Pos.Col
		}
		return a.Key < b.Key
	})
}

// Dependents returns the declarations that depend on a package in paths, directly or through other declarations. For
// each declaration, the map has one such package.
func (t *Table) Dependents(paths []string) map[*Symbol]string {
	found := map[*Symbol]string{}
	var todo []*Symbol
	add := func(s *Symbol, path string) {
		if _, ok := found[s]; !ok {
			found[s] = path
			todo = append(todo, s)
		}
	}
	for _, s := range t.Symbols() {
		if path := s.MentionedPackage(paths); path != "" {
			add(s, path)
		}
	}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		for _, name := range s.Names() {
			for user := range t.Users[name] {
				add(user, found[s])
			}
		}
	}
	return found
}

// UsersOf lists the live symbols that refer to a name.
func (t *Table) UsersOf(name string) []*Symbol {
	var list []*Symbol
	for s := range t.Users[name] {
		if t.Names[s.Key] == s && s.Key != name {
			list = append(list, s)
		}
	}
	SortSymbols(list)
	return list
}
