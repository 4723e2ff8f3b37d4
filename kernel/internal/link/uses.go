package link

import (
	"reflect"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Constant reports whether addr is in the read-only data of the image or of loaded code. The func values of functions
// that capture no variables are there.
func (l *Linker) Constant(addr uintptr) bool {
	h := l.runtime.FirstModule
	return l.mod.ReadOnly.Contains(addr) || addr >= h.Rodata && addr < h.Noptrdata
}

// noteUses records the references of a function of the notebook, for Reads and for Clear.
func (ld *load) noteUses(n *node) {
	if !n.kind.IsText() || !n.obj.isMain && !symname.MentionsMain(n.name) {
		return
	}
	var refs []uintptr
	for i := range n.relocs {
		if p := n.values[i].address(); p >= ld.mod.Text.Base && p < ld.mod.ModuleData.End {
			refs = append(refs, p)
		}
	}
	ld.noteRefs(n.addr, refs)
	if n.stub != nil {
		ld.uses[n.stub.addr] = ld.uses[n.addr]
	}
}

// noteData records the references of constant data, such as a func value or a
// dictionary.
func (ld *load) noteData(n *node) {
	if !n.kind.IsROData() || n.typ != nil || n.itab != [2]target{} || len(n.relocs) == 0 || strings.HasPrefix(n.name, "type:") {
		return
	}
	var refs []uintptr
	for i := range n.relocs {
		refs = append(refs, n.values[i].address())
	}
	ld.noteRefs(n.addr, refs)
}

// noteRefs records references. It stores addresses in memory without
// pointers, which a search for pointers leaves out.
func (l *Linker) noteRefs(addr uintptr, refs []uintptr) {
	l.uses[addr] = len(l.useList)
	l.useList = append(l.useList, refs)
}

// Reads returns the names of the notebook variables that the function at pc uses,
// directly or through other functions of the notebook, sorted.
func (l *Linker) Reads(pc uintptr) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	byAddr := map[uintptr]string{}
	for name, v := range l.vars {
		byAddr[v.addr] = strings.TrimPrefix(name, "main.")
	}
	seen := map[uintptr]bool{pc: true}
	var names []string
	for queue := []uintptr{pc}; len(queue) > 0; {
		p := queue[0]
		queue = queue[1:]
		if name, ok := byAddr[p]; ok {
			names = append(names, name)
		}
		u, ok := l.uses[p]
		if !ok {
			continue
		}
		for _, c := range l.useList[u] {
			if !seen[c] {
				seen[c] = true
				queue = append(queue, c)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Variable returns the address and size of a variable of the notebook. name is its link symbol.
func (l *Linker) Variable(name string) (addr, size uintptr, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.vars[name]
	if v == nil {
		return 0, 0, false
	}
	return v.addr, v.size, true
}

// Zero sets a variable of the notebook to its zero value, if the variable exists. name is its link symbol.
func (l *Linker) Zero(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v := l.vars[name]; v != nil && v.typ != 0 {
		reflect.NewAt(goruntime.TypeAt(platform.Pointer(v.typ)), platform.Pointer(v.addr)).Elem().SetZero()
	}
}

// Ranges returns the address ranges of loaded constants, which include types,
// and of loaded variables with pointers. The ends are excluded.
func (l *Linker) Ranges() (constants, variables [2]uintptr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ro, data := l.mod.ReadOnly, l.mod.Data
	return [2]uintptr{ro.Base, ro.Base + ro.Used}, [2]uintptr{data.Base, data.Base + data.Used}
}
