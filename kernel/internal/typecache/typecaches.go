// Package typecache clears caches of the standard library that depend on the methods of types.
package typecache

import (
	"sync"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// Packages of the standard library cache facts about types until the process ends, for
// example that a type has the method MarshalJSON. When a
// cell changes methods, Forget clears these caches. The packages then fill them again.

// typeCaches are the package variables with types as keys and values that depend on the types'
// methods, each with its import path and name. A test searches the standard library for such variables. The caches of
// encoding/gob need more work: see gobCaches.
var typeCaches = []string{
	"encoding/json.encoderCache", // without GOEXPERIMENT=jsonv2
	"encoding/json.fieldCache",
	"encoding/json/v2.lookupArshalerCache", // with GOEXPERIMENT=jsonv2
	"encoding/xml.tinfoMap",
}

// Forget clears the caches. changed has the addresses of the descriptors of types whose methods have changed. Forget
// returns the names of types for which package encoding/gob may have encoders that still use the old methods.
func Forget(h *goruntime.Runtime, changed map[uintptr]bool) []string {
	for _, name := range typeCaches {
		if m, err := goruntime.Var[sync.Map](h, name); err == nil { // some toolchains do not have all of them
			m.Clear()
		}
	}
	g, err := newGobCaches(h)
	if err != nil {
		return nil
	}
	return g.forget(changed)
}
