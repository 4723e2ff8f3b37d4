package link

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// Packages of the standard library keep, for as long as the process lives, what
// they found out about a type: that it has the method MarshalJSON, say. When a
// cell changes methods these caches are emptied, and fill again.

// typeCaches are the package variables that map types to what their methods
// decide, one path and name each; a test finds them in the sources. Those of
// encoding/gob need more: see gobCaches.
var typeCaches = []string{
	"encoding/json.encoderCache", // without GOEXPERIMENT=jsonv2
	"encoding/json.fieldCache",
	"encoding/json/v2.lookupArshalerCache", // with it
	"encoding/xml.tinfoMap",
}

// forgetTypes empties the caches of what types implement. changed has the
// descriptors whose methods are others now. It returns those for which an
// encoder of encoding/gob may exist that goes on as before.
func forgetTypes(h *Runtime, changed map[uintptr]bool) []string {
	for _, name := range typeCaches {
		if m, err := Var[sync.Map](h, name); err == nil { // the image has those that its toolchain has
			m.Clear()
		}
	}
	g, err := newGobCaches(h)
	if err != nil {
		return nil
	}
	return g.forget(changed)
}

// noteCaches empties caches after methods have changed, and says of which types
// some go on as before.
func (ld *load) noteCaches() {
	changed := map[uintptr]bool{}
	var names []string
	for _, u := range ld.methods {
		changed[u.rec.addr] = true
		if t, ok := strings.CutPrefix(u.rec.name, "type:main."); ok {
			names = append(names, t)
		}
	}
	gob := forgetTypes(ld.host, changed)
	ld.noteStale(gob, "encoders and decoders of encoding/gob that exist already")
	if keepers := slices.Sorted(maps.Keys(ld.keepers)); len(keepers) > 0 {
		ld.noteStale(names, strings.Join(keepers, ", ")+", if types were looked at before")
	}
}

// noteStale notes that somebody may go on with the old methods of types.
func (ld *load) noteStale(types []string, where string) {
	if len(types) == 0 {
		return
	}
	slices.Sort(types)
	ld.notices = append(ld.notices, fmt.Sprintf("%s: the new methods may not reach %s", strings.Join(slices.Compact(types), ", "), where))
}

// noteKeeper remembers packages that were loaded and have a variable which may
// be a cache by type.
func (ld *load) noteKeeper(n *node) {
	if n.obj.main || !n.kind.IsVar() {
		return
	}
	ref, ok := n.sym.Aux(goobj.AuxGotype)
	if !ok {
		return
	}
	name := n.obj.RefName(ref)
	if i, ok := n.obj.Index(ref); ok {
		name = n.obj.Sym(i).Name()
	}
	usesReflect := func() bool {
		return slices.ContainsFunc(n.obj.Imports(), func(im goobj.Import) bool { return im.Path == "reflect" })
	}
	if strings.HasPrefix(name, "type:map[reflect.Type]") || name == "type:sync.Map" && usesReflect() {
		ld.keepers[n.obj.pkg.path] = true
	}
}

// typesOf makes types of descriptors.
func typesOf(addrs map[uintptr]bool) map[reflect.Type]bool {
	types := map[reflect.Type]bool{}
	for p := range addrs {
		t := typeAt(platform.Pointer(p))
		types[t] = true
		if t.Kind() == reflect.Pointer { // its methods are found from values, too
			types[t.Elem()] = true
		}
	}
	return types
}

// containsType reports whether t is made of one of the types.
func containsType(t reflect.Type, types, seen map[reflect.Type]bool) bool {
	if types[t] {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Map:
		return containsType(t.Key(), types, seen) || containsType(t.Elem(), types, seen)
	case reflect.Array, reflect.Chan, reflect.Pointer, reflect.Slice:
		return containsType(t.Elem(), types, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if containsType(t.Field(i).Type, types, seen) {
				return true
			}
		}
	}
	return false
}
