package link

import (
	"encoding/binary"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// An OriginError says which symbol could not be resolved, and at which position of the cell it is needed.
type OriginError struct {
	Err error
	// Package is the import path of the package to which the cell refers at this position. It is "" if the cell's
	// code needs the symbol directly.
	Package string
	Func    string // the cell's function that needs the symbol, or "" if the initialization of a package needs it
	File    string
	Line    int
}

func (e *OriginError) Error() string {
	if e.Package == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v; import %q depends on it", e.Err, e.Package)
}

func (e *OriginError) Unwrap() error { return e.Err }

// origin returns an OriginError for the relocation of n at ld.resolvingOff, which could not be
// resolved. It follows the chain of references from n back to the cell.
func (ld *load) origin(n *node, err error) error {
	if n.obj.isMain {
		err = fmt.Errorf("%w (needed by the cell)", err)
	} else {
		err = fmt.Errorf("%w (needed by %s)", err, n.name)
	}
	e := &OriginError{Err: err}
	off := ld.resolvingOff
	for m := n; m != nil; m, off = m.referrer, m.referrerOff {
		if !m.obj.isMain {
			e.Package = m.obj.pkg.path
			if m.referrer == nil {
				e.Package = ld.importOf(m.name, e.Package)
			}
			continue
		}
		if m.kind.IsText() {
			e.Func = m.name
			var inlined string
			if e.File, e.Line, inlined = sourcePositionAt(m.obj, m.sym, off); inlined != "" {
				e.Package = inlined
			}
		}
	}
	return e
}

// importOf returns the import path of the package that the cell imports and that needs an init task.
func (ld *load) importOf(task, path string) string {
	for ld.initParents[task] != "" {
		task = ld.initParents[task]
		path = symname.Package(task)
	}
	return path
}

// sourcePositionAt returns the source position of the instruction at an offset in a function. For an
// instruction of an inlined function it returns the position of the call. inlined is the package of that
// function, if the package of s is another one.
func sourcePositionAt(o *object, s goobj.Sym, off int32) (file string, line int, inlined string) {
	info, err := funcInfo(o, s)
	if err != nil {
		return "", 0, ""
	}
	fileIndex, ok1 := valueAt(o, s, goobj.AuxPcfile, off)
	lineNumber, ok2 := valueAt(o, s, goobj.AuxPcline, off)
	if i, ok := valueAt(o, s, goobj.AuxPcinline, off); ok {
		for i >= 0 && int(i) < len(info.InlTree) {
			call := info.InlTree[i]
			fileIndex, lineNumber = int32(call.File), call.Line
			inlined = ""
			if _, own := o.Index(call.Func); !own && call.Func.Pkg != goobj.PkgBuiltin {
				inlined = o.Package(call.Func.Pkg)
			}
			i = call.Parent
		}
	}
	if !ok1 || !ok2 || fileIndex < 0 {
		return "", 0, ""
	}
	return o.File(uint32(fileIndex)), int(lineNumber), inlined
}

// valueAt looks an offset up in a PC-value table of a function. The format is that of
// runtime.pcvalue.
func valueAt(o *object, s goobj.Sym, table uint8, off int32) (int32, bool) {
	ref, ok := s.Aux(table)
	if !ok || ref.IsZero() {
		return 0, false
	}
	i, ok := o.Index(ref)
	if !ok {
		return 0, false
	}
	value, pc := int32(-1), uint64(0)
	for b := o.Sym(i).Data(); len(b) > 0; {
		delta, n := binary.Uvarint(b)
		if n <= 0 || delta == 0 && pc > 0 {
			return 0, false
		}
		step, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return 0, false
		}
		b = b[n+m:]
		value += int32(delta>>1) ^ -int32(delta&1)
		pc += step
		if uint64(off) < pc {
			return value, true
		}
	}
	return 0, false
}
