package typetext

import (
	"crypto/sha256"
	"encoding/hex"
	"go/types"
	"strings"
)

// Fingerprint returns a text for t. Two types, also from different runs of the type checker, have equal texts only if
// code that was compiled for one works on the other. The text is a hash of the structure of t and of every notebook
// type in t. main is the notebook's package.
func Fingerprint(t types.Type, main *types.Package) string {
	f := fingerprinter{main: main, seen: map[*types.TypeName]bool{}}
	f.text(t)
	for len(f.todo) > 0 {
		n := f.todo[0]
		f.todo = f.todo[1:]
		f.b.WriteString(";" + n.Obj().Name() + "=")
		f.text(n.Underlying())
	}
	sum := sha256.Sum256([]byte(f.b.String()))
	return hex.EncodeToString(sum[:12])
}

// A fingerprinter writes the text that Fingerprint hashes.
type fingerprinter struct {
	main *types.Package
	b    strings.Builder
	seen map[*types.TypeName]bool
	todo []*types.Named
}

func (f *fingerprinter) text(t types.Type) {
	f.b.WriteString(types.TypeString(t, (*types.Package).Path))
	f.walk(t, map[types.Type]bool{})
}

// walk adds to the queue the notebook's named types that t is composed of.
func (f *fingerprinter) walk(t types.Type, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		f.b.WriteString("~" + types.TypeString(types.Unalias(t), (*types.Package).Path))
		f.walk(types.Unalias(t), seen)
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			f.walk(a, seen)
		}
		if t.Obj().Pkg() == f.main && !f.seen[t.Obj()] {
			f.seen[t.Obj()] = true
			f.todo = append(f.todo, t)
		}
	case *types.Pointer:
		f.walk(t.Elem(), seen)
	case *types.Slice:
		f.walk(t.Elem(), seen)
	case *types.Array:
		f.walk(t.Elem(), seen)
	case *types.Chan:
		f.walk(t.Elem(), seen)
	case *types.Map:
		f.walk(t.Key(), seen)
		f.walk(t.Elem(), seen)
	case *types.Signature:
		f.walkTuple(t.Params(), seen)
		f.walkTuple(t.Results(), seen)
	case *types.Struct:
		for v := range t.Fields() {
			f.walk(v.Type(), seen)
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			f.walk(m.Type(), seen)
		}
		for e := range t.EmbeddedTypes() {
			f.walk(e, seen)
		}
	}
}

func (f *fingerprinter) walkTuple(t *types.Tuple, seen map[types.Type]bool) {
	for v := range t.Variables() {
		f.walk(v.Type(), seen)
	}
}
