package typecache

import (
	"reflect"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goruntime/layouttest"
)

// TestGobMirrors compares this package's copies of structures of encoding/gob with the originals, field by field.
func TestGobMirrors(t *testing.T) {
	types := layouttest.Program(t)
	types.Same(t, "encoding/gob.CommonType", reflect.TypeFor[gobCommon]())
	types.Same(t, "encoding/gob.userTypeInfo", reflect.TypeFor[gobUser]())
	types.Prefix(t, "encoding/gob.typeInfo", reflect.TypeFor[gobInfo]())
}
