// Package typecache empties what packages of the standard library have found out about types whose methods change.
package typecache

import (
	"sync"

	"github.com/perijove/perijove/kernel/internal/goruntime"
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

// Forget empties the caches of what types implement. changed has the
// descriptors whose methods are others now. It returns those for which an
// encoder of encoding/gob may exist that goes on as before.
func Forget(h *goruntime.Runtime, changed map[uintptr]bool) []string {
	for _, name := range typeCaches {
		if m, err := goruntime.Var[sync.Map](h, name); err == nil { // the image has those that its toolchain has
			m.Clear()
		}
	}
	g, err := newGobCaches(h)
	if err != nil {
		return nil
	}
	return g.forget(changed)
}
