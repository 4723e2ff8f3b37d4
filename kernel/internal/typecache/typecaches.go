// Package typecache clears caches of the standard library that depend on the methods of types.
package typecache

import (
	"sync"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// Packages of the standard library cache facts about types until the process ends, for
// example that a type has the method MarshalJSON. When a
// cell changes methods, these caches are cleared. They then fill again.

// typeCaches are the package variables with types as keys and values that depend on the types'
// methods, each with path and name. A test searches the sources for them. Those of
// encoding/gob need more work: see gobCaches.
var typeCaches = []string{
	"encoding/json.encoderCache", // without GOEXPERIMENT=jsonv2
	"encoding/json.fieldCache",
	"encoding/json/v2.lookupArshalerCache", // with GOEXPERIMENT=jsonv2
	"encoding/xml.tinfoMap",
}

// Forget clears the caches. changed has the addresses of the descriptors of types whose methods have changed. Forget
// returns the names of types for which encoders of encoding/gob may exist that
// still use the old methods.
func Forget(h *goruntime.Runtime, changed map[uintptr]bool) []string {
	for _, name := range typeCaches {
		if m, err := goruntime.Var[sync.Map](h, name); err == nil { // which of them exist depends on the toolchain
			m.Clear()
		}
	}
	g, err := newGobCaches(h)
	if err != nil {
		return nil
	}
	return g.forget(changed)
}
