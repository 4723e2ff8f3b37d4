package link

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// known returns the address of a symbol of the image or of an earlier load.
func (ld *load) known(key symKey) (uintptr, bool) {
	if addr, ok := ld.index.Lookup(key.name, key.abi); ok && !ld.mentionsReplaced(key.name) {
		return addr, true
	}
	addr, ok := ld.globals[key]
	return addr, ok
}

func (ld *load) addNode(o *object, i int) *node {
	s := o.Sym(i)
	n := &node{obj: o, i: i, sym: s, name: s.Name(), kind: s.Kind(), align: alignment(s), referrer: ld.resolving, referrerOff: ld.resolvingOff}
	ld.byDef[defRef{o, i}] = n
	ld.nodes = append(ld.nodes, n)
	ld.queue = append(ld.queue, n)
	return n
}

// sharedInLoad adds a node for a symbol that several objects of this load may define, unless there is one.
func (ld *load) sharedInLoad(o *object, i int, key symKey, global bool) (target, error) {
	if n := ld.byName[key]; n != nil {
		n.align = max(n.align, alignment(o.Sym(i)))
		return target{node: n}, nil
	}
	n := ld.addNode(o, i)
	n.global = global
	ld.byName[key] = n
	return target{node: n}, nil
}

// alignment returns the alignment that cmd/link gives a symbol, in bytes. Assembly code relies on it: vector
// instructions fault if a constant is not aligned to its size.
func alignment(s goobj.Sym) uintptr {
	align, size := uintptr(s.Align()), uintptr(s.Size())
	switch {
	case s.Kind().IsText():
		return max(align, textAlign)
	case align != 0:
		return align
	}
	for align = maxAlign; align > size && align > 1; {
		align /= 2
	}
	return align
}

// replaceable reports whether a symbol is a function of a package under edit that other packages
// may call: an exported function or a method. Other functions need no stub, since all their callers are replaced
// together with them.
func (ld *load) replaceable(o *object, s goobj.Sym, name string) bool {
	if !ld.live[o.pkg.path] || !s.Kind().IsText() || s.ABI() != goobj.ABIInternal || o.FromAssembly() {
		return false
	}
	rest, ok := strings.CutPrefix(name, goobj.EscapePath(o.pkg.path)+".")
	if !ok || strings.ContainsAny(rest, "[-") {
		return false
	}
	recv, method, ok := strings.Cut(rest, ".")
	if !ok {
		first, _ := utf8.DecodeRuneInString(rest)
		return unicode.IsUpper(first)
	}
	recv = strings.TrimSuffix(strings.TrimPrefix(recv, "(*"), ")")
	_, isType := o.pkg.find(symKey{"type:" + goobj.EscapePath(o.pkg.path) + "." + recv, goobj.ABI0})
	return isType && !strings.Contains(method, ".")
}

// liveFunc adds a node for a function with a stub. It uses the stub of an earlier version of the
// function, if there is one.
func (ld *load) liveFunc(o *object, i int, name string) target {
	n := ld.addNode(o, i)
	n.stub = ld.Linker.stubs[name]
	if n.stub == nil {
		n.stub = &stub{name: strings.Clone(name)}
		ld.stubs = append(ld.stubs, n.stub)
	}
	return target{node: n}
}
