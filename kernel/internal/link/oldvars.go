package link

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A variable becomes old if no name refers to it any more, since the user removed it or declared
// the name with another type. It keeps its value as long as something may use it: code that is
// running or may be called, or a pointer. When nothing can use it any more, it is cleared, which frees the memory that
// it refers to. The search for uses begins with the functions that cells can name, interface tables, and all memory
// that holds pointers (see goruntime.FindPointers).

// Old returns the old variables that the last call of Clear kept, sorted by name.
func (l *Linker) Old() []OldVariable {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(slices.Values(l.keptVars), func(a, b OldVariable) int { return strings.Compare(a.Name, b.Name) })
}

// Drop sets the complete list of symbols of variables and functions to which no name refers any more. The list need
// not have symbols that a load has replaced.
func (l *Linker) Drop(symbols []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped = map[string]bool{}
	for _, s := range symbols {
		l.dropped[s] = true
	}
	l.nextSearch = time.Time{} // search immediately: it may free memory
}

// addOldVar records that v is no longer found by its name. It ignores variables without pointers, which keep no other
// memory alive.
func (l *Linker) addOldVar(name string, v *variable) {
	if !l.mod.Data.Contains(v.addr) {
		return
	}
	l.oldVars = append(l.oldVars, oldVariable{name: name, where: ^v.addr, size: v.size, typ: v.typ})
	l.nextSearch = time.Time{}
}

// searchShare limits the time of repeated searches to 1/searchShare of the total time.
const searchShare = 50

// Clear sets to zero the old variables that nothing can use. It does nothing if there are no old variables. It may
// stop the world while it reads all memory with pointers. If a search has kept variables, Clear does not search again
// for some time, unless now is true. self is the goroutine whose stack is not searched.
func (l *Linker) Clear(self uintptr, goroutines *goruntime.Goroutines, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := time.Now()
	old := slices.Clone(l.oldVars)
	for name, v := range l.vars {
		if l.dropped[name] && l.mod.Data.Contains(v.addr) {
			old = append(old, oldVariable{name: name, where: ^v.addr, size: v.size, typ: v.typ})
		}
	}
	if len(old) == 0 {
		l.keptVars = nil
	}
	if len(old) == 0 || start.Before(l.nextSearch) && !now {
		return
	}
	why := l.findUses(old, self, goroutines)
	// The pointer may be in garbage. The contents of a sync.Pool survive one collection and are freed by the second.
	for n := 0; n < 2 && slices.Contains(why, goruntime.InMemory.String()); n++ {
		runtime.GC()
		why = l.findUses(old, self, goroutines)
	}
	l.oldVars, l.keptVars = nil, nil
	for i, v := range old {
		switch named := l.vars[v.name]; {
		case why[i] == "":
			l.runtime.TypedMemclr(platform.Pointer(v.typ), platform.Pointer(v.addr()))
			if named != nil && named.addr == v.addr() {
				delete(l.vars, v.name)
			}
		default:
			l.keptVars = append(l.keptVars, OldVariable{strings.TrimPrefix(v.name, "main."), why[i]})
			if named == nil || named.addr != v.addr() {
				l.oldVars = append(l.oldVars, v)
			}
		}
	}
	l.nextSearch = time.Now().Add(searchShare * time.Since(start))
}

// findUses returns, for each variable, a text about a possible use, or "" if there is none.
func (l *Linker) findUses(old []oldVariable, self uintptr, goroutines *goruntime.Goroutines) []string {
	m := &marking{Linker: l, old: old, seen: map[uintptr]bool{}, why: make([]string, len(old))}
	m.roots()
	if !slices.Contains(m.why, "") {
		return m.why
	}
	found, ok := goroutines.FindPointers(l.pointersToLoaded(old, self))
	if !ok {
		for i := range m.why {
			m.why[i] = "there is too much memory to search for uses"
		}
		return m.why
	}
	slices.SortFunc(found, func(a, b goruntime.FoundPointer) int { // sorted, so that the reason is the same each time
		return cmp.Or(cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Word, b.Word))
	})
	for _, f := range found {
		if f.Holder == goruntime.NoHolder {
			m.word(f.Word, f.Kind.String())
		}
	}
	for again := true; again; { // follow pointers in variables that are kept
		again = false
		for _, f := range found {
			if f.Holder != goruntime.NoHolder && m.why[f.Holder] != "" && !m.seen[f.Word] {
				m.word(f.Word, f.Kind.String())
				m.seen[f.Word], again = true, true
			}
		}
	}
	return m.why
}

// pointersToLoaded returns a query for the words of memory that point to loaded code and data.
func (l *Linker) pointersToLoaded(old []oldVariable, self uintptr) goruntime.PointerQuery {
	m := l.mod
	end := m.Text.Base + m.Text.Used
	q := goruntime.PointerQuery{
		Code: goruntime.AddrRange{From: m.Text.Base, To: end}, Data: goruntime.AddrRange{From: end, To: m.ModuleData.End},
		Variables: goruntime.AddrRange{From: m.Data.Base, To: m.Data.Base + m.Data.Used}, Except: self,
	}
	for i := range old {
		q.Holders = append(q.Holders, goruntime.AddrRange{From: old[i].addr(), To: old[i].addr() + old[i].size})
	}
	return q
}

// A marking is a search for uses that follows the references of code and constants.
type marking struct {
	*Linker
	old  []oldVariable
	seen map[uintptr]bool
	why  []string
}

// roots marks the functions that cells can name, and the methods in interface tables and of notebook types.
func (m *marking) roots() {
	for _, name := range slices.Sorted(maps.Keys(m.stubs)) { // sorted, so that the reason is the same each time
		s, plain := m.stubs[name], symname.WithoutTypeArgs(name)
		if !m.dropped[plain] && !m.dropped[name] && !m.cellFuncs[name] && !symname.IsInit(name) {
			m.mark(s.addr, fmt.Sprintf("%s uses it", strings.TrimPrefix(plain, "main.")))
		}
	}
	for key, addr := range m.globals {
		if plain := symname.WithoutTypeArgs(key.name); symname.MentionsMain(key.name) && !m.dropped[plain] {
			m.mark(addr, fmt.Sprintf("%s uses it", strings.TrimPrefix(plain, "main.")))
		}
	}
	const method = "a method of an older type uses it"
	funcs := func(t *goruntime.Itab) {
		for i := range goruntime.InterfaceMethods(t.Inter) {
			m.mark(platform.Read[uintptr](goruntime.AddressOf(t)+goruntime.ItabHeaderSize+uintptr(i)*8), method)
		}
	}
	m.runtime.EachItab(funcs)
	for _, r := range m.retired {
		funcs(r.itab)
	}
	for _, addr := range m.notebookTypes {
		for off := range uintptr(goruntime.MethodCount(addr)) {
			u := addr + uintptr(goruntime.UncommonOff(goruntime.TypeKind(addr)))
			entry := u + uintptr(platform.Read[uint32](u+8)) + off*goruntime.MethodSize
			m.mark(m.mod.ModuleData.Text+uintptr(platform.Read[int32](entry+8)), method)
			m.mark(m.mod.ModuleData.Text+uintptr(platform.Read[int32](entry+12)), method)
		}
	}
}

// word marks the function or the data that a word of memory points to.
func (m *marking) word(w uintptr, why string) {
	if text := m.mod.Text; w >= text.Base && w < text.Base+text.Used {
		w = m.mod.ModuleData.Text + uintptr(m.mod.Functions.Uint32(m.mod.FindFunc(w)))
	}
	m.mark(w, why)
}

// mark follows the references of code and constants from addr, and sets why for the old variables that it reaches.
func (m *marking) mark(addr uintptr, why string) {
	for todo := []uintptr{addr}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if m.seen[p] {
			continue
		}
		for i := range m.old {
			if v := &m.old[i]; p >= v.addr() && p < v.addr()+max(v.size, 1) && m.why[i] == "" {
				m.why[i] = why
			}
		}
		m.seen[p] = true
		if i, ok := m.uses[p]; ok {
			todo = append(todo, m.useList[i]...)
		}
	}
}
