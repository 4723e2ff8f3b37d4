package effects

import (
	"go/types"
	"slices"
	"strings"
)

// purePackages lists packages whose functions and methods have no effects and whose results
// depend only on their arguments. The listed functions are the exceptions; "Type.Method" is a
// method. A pattern that ends with * matches all names with that prefix; one that ends with ?* matches only longer
// names.
var purePackages = map[string][]string{
	"bytes": {}, "cmp": {}, "container/heap": {}, "container/list": {}, "container/ring": {}, "crypto/md5": {}, "crypto/sha1": {},
	"crypto/sha256": {}, "crypto/sha512": {}, "encoding/base32": {}, "encoding/base64": {}, "encoding/binary": {"Read", "Write"},
	"encoding/hex": {"Dumper"}, "encoding/json": {"NewDecoder", "NewEncoder"}, "errors": {}, "hash": {}, "hash/adler32": {}, "hash/crc32": {},
	"hash/crc64": {}, "hash/fnv": {}, "html": {}, "html/template": {"Parse*", "Template.Parse?*", "Template.Execute*"}, "image": {"Decode*", "RegisterFormat"},
	"image/color": {}, "image/color/palette": {}, "iter": {"Pull*"}, "maps": {}, "math": {}, "math/big": {}, "math/bits": {}, "math/cmplx": {},
	"net/netip": {}, "net/url": {}, "path": {}, "regexp": {}, "regexp/syntax": {}, "slices": {}, "sort": {}, "strconv": {}, "strings": {},
	"text/template": {"Parse*", "Template.Parse?*", "Template.Execute*"}, "unicode": {}, "unicode/utf16": {}, "unicode/utf8": {},
	"time": {"Now", "Since", "Until", "Sleep", "After*", "Tick", "NewTimer", "NewTicker", "Timer.*", "Ticker.*"},
	"fmt":  {"Print*", "Fprint*", "Scan*", "Fscan*", "Sscan*"},
}

// pureFunctions lists functions without effects in other packages.
var pureFunctions = map[string][]string{
	"context": {"Background", "TODO", "WithValue"}, "math/rand": {"New", "NewSource", "NewZipf"}, "math/rand/v2": {"New", "NewPCG", "NewChaCha8", "NewZipf"},
	"net/http": {"StatusText", "CanonicalHeaderKey"}, "path/filepath": {"Base", "Clean", "Dir", "Ext", "FromSlash", "IsAbs", "Join", "Match", "Rel", "Split", "ToSlash"},
	"reflect": {"TypeOf", "TypeFor", "PointerTo", "SliceOf", "MapOf", "ArrayOf", "Zero", "ValueOf", "DeepEqual"},
	"sync":    {"OnceFunc", "OnceValue", "OnceValues", "NewCond"}, "unsafe": {"String", "StringData", "Slice", "SliceData"},
}

// IsPure reports whether a function or method of another package has no effects and its result depends only on its arguments.
func IsPure(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return fn.Name() == "Error" // the method of the predeclared type error
	}
	name := fn.Name()
	if recv := fn.Signature().Recv(); recv != nil {
		t := recv.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		named, ok := types.Unalias(t).(*types.Named)
		if !ok || types.IsInterface(named) && fn.Pkg().Path() != "reflect" {
			return false
		}
		name = named.Obj().Name() + "." + name
	}
	if effects, ok := purePackages[fn.Pkg().Path()]; ok {
		return !matchesAny(effects, name)
	}
	return matchesAny(pureFunctions[fn.Pkg().Path()], name)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		head, prefix := strings.CutSuffix(p, "*")
		if longer, more := strings.CutSuffix(head, "?"); prefix && more {
			return strings.HasPrefix(name, longer) && len(name) > len(longer)
		}
		return name == p || prefix && strings.HasPrefix(name, head)
	})
}
