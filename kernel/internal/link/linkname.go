package link

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// AllowsLinkname reports whether packages outside of the standard library may use //go:linkname to refer to s, a symbol
// of the standard library. The rules are those of cmd/link. other returns the function of the same name with the other
// calling convention, if there is one.
func AllowsLinkname(o *goobj.Object, s goobj.Sym, other func() (goobj.Sym, bool)) bool {
	if !o.Before127() && o.FromAssembly() && !s.IsLinknameStd() && !s.IsLinkname() {
		if !strings.Contains(s.Name(), ".") {
			return true
		}
		if wrapper, ok := other(); ok {
			s = wrapper
		}
	}
	return s.IsLinkname() || o.Before127() && s.IsABIWrapper()
}

// checkLinkname returns an error for a reference by //go:linkname that cmd/link would refuse.
func (ld *load) checkLinkname(o *object, s goobj.Sym) error {
	if !s.IsLinkname() || o.Std() || ld.index.AllowsAnyLinkname {
		return nil
	}
	name := s.Name()
	allowed, known := ld.index.LinknameAllowed(name, s.ABI())
	if !known {
		d, found, err := ld.definition(name, s.ABI())
		if err != nil || !found {
			return err
		}
		other := func() (goobj.Sym, bool) {
			w, ok := d.obj.pkg.find(symKey{name, 1 - d.obj.Sym(d.i).ABI()})
			if !ok {
				return goobj.Sym{}, false
			}
			return w.obj.Sym(w.i), true
		}
		allowed = !d.obj.Std() || AllowsLinkname(d.obj.Object, d.obj.Sym(d.i), other)
	}
	if allowed {
		return nil
	}
	return fmt.Errorf("package %s: invalid reference to %s, which the linker allows only in the standard library", o.pkg.path, name)
}
