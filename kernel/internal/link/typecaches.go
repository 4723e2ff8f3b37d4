package link

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/typecache"
)

// noteCaches clears caches after methods have changed, and adds notices about types for which
// some caches could not be cleared.
func (ld *load) noteCaches() {
	changed := map[uintptr]bool{}
	var names []string
	for _, u := range ld.methodUpdates {
		changed[u.rec.addr] = true
		if t, ok := strings.CutPrefix(u.rec.name, "type:main."); ok {
			names = append(names, t)
		}
	}
	gob := typecache.Forget(ld.runtime, changed)
	ld.noteStale(gob, "encoders and decoders of encoding/gob that already exist")
	if keepers := slices.Sorted(maps.Keys(ld.typeCachers)); len(keepers) > 0 {
		ld.noteStale(names, strings.Join(keepers, ", ")+", if they have used the types before")
	}
}

// noteStale adds a notice that where, such as a cache of a package, may still use the old methods of types.
func (ld *load) noteStale(types []string, where string) {
	if len(types) == 0 {
		return
	}
	slices.Sort(types)
	ld.notices = append(ld.notices, fmt.Sprintf("%s: the new methods may not reach %s", strings.Join(slices.Compact(types), ", "), where))
}

// noteTypeCacher records the package of n if n is a variable that may be a cache with types as
// keys.
func (ld *load) noteTypeCacher(n *node) {
	if n.obj.isMain || !n.kind.IsVar() {
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
		ld.typeCachers[n.obj.pkg.path] = true
	}
}
