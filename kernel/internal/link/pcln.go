package link

import (
	"encoding/binary"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A pclnWriter adds the functions of one load to the runtime's tables.
type pclnWriter struct {
	ld    *load
	names map[string]uint32          // offsets in the name table
	files map[*object]map[uint32]int // by object, then by the object's file index: positions in the file list of its unit
	units map[*object]uint32         // by object: results of unit
}

// addFunctions adds stubs and functions to the runtime's tables, in the order of their addresses.
func (ld *load) addFunctions() error {
	w := &pclnWriter{ld: ld, names: map[string]uint32{}, files: map[*object]map[uint32]int{}, units: map[*object]uint32{}}
	places := map[*stub]sourcePosition{}
	for _, n := range ld.nodes {
		if n.stub == nil {
			continue
		}
		at, err := w.position(n)
		if err != nil {
			return err
		}
		places[n.stub] = at
	}
	for _, s := range ld.stubs {
		if err := w.addStub(s, places[s]); err != nil {
			return err
		}
		delete(places, s)
	}
	ld.stubPositions = places
	for _, n := range ld.nodes {
		if n.kind.IsText() {
			if err := w.addFunc(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *pclnWriter) name(s string) (uint32, error) {
	if off, ok := w.names[s]; ok {
		return off, nil
	}
	off, err := w.ld.mod.Names.Append(append([]byte(symname.Source(s)), 0))
	w.names[s] = uint32(off)
	return uint32(off), err
}

// unit returns the index of an object's file list in the unit table. The first call for an object
// appends the list.
func (w *pclnWriter) unit(o *object) (uint32, error) {
	if u, ok := w.units[o]; ok {
		return u, nil
	}
	m := w.ld.mod
	n := 0
	for _, nd := range w.ld.nodes {
		if nd.obj != o || !nd.kind.IsText() {
			continue
		}
		for _, f := range nd.info.Files {
			n = max(n, int(f)+1)
		}
		for _, c := range nd.info.InlTree {
			n = max(n, int(c.File)+1)
		}
	}
	off, err := m.Units.Grow(4*n, 4)
	if err != nil {
		return 0, err
	}
	for i := range n {
		f, err := w.file(o.File(uint32(i)))
		if err != nil {
			return 0, err
		}
		m.Units.PutUint32(off+4*i, f)
	}
	w.units[o] = uint32(off / 4)
	return w.units[o], nil
}

func (w *pclnWriter) file(name string) (uint32, error) {
	m := w.ld.mod
	if off, ok := m.FileOffsets[name]; ok {
		return off, nil
	}
	name = strings.Clone(name)
	off, err := m.Files.Append(append([]byte(name), 0))
	m.FileOffsets[name] = uint32(off)
	return uint32(off), err
}

// table copies a PC-value table into the runtime's tables and returns its offset, or 0 if it is empty.
func (w *pclnWriter) table(o *object, ref goobj.Ref) (uint32, error) {
	i, ok := o.Index(ref)
	if !ok || ref.IsZero() {
		return 0, nil
	}
	b := o.Sym(i).Data()
	if len(b) == 0 {
		return 0, nil
	}
	off, err := w.ld.mod.PCTables.Append(b)
	return uint32(off), err
}

// addStub describes a stub as a function without a frame. A stack trace can contain it: a goroutine may not
// have started yet, or a signal may arrive in the stub.
func (w *pclnWriter) addStub(s *stub, at sourcePosition) error {
	name, err := w.name(s.name)
	if err != nil {
		return err
	}
	// One entry: value 0 (delta 1 from -1, zig-zag 2) for the whole stub.
	pcsp, err := w.ld.mod.PCTable(moduledata.PCRun{Value: 0, Bytes: stubSize})
	if err != nil {
		return err
	}
	f := moduledata.Function{
		Entry: s.addr, Size: stubSize, Name: name, PCSP: pcsp,
		Unit: at.unit, PCFile: at.pcfile, PCLine: at.pcline, StartLine: at.line,
	}
	return w.ld.mod.AddFunction(f)
}

// position returns the source position at which a function begins.
func (w *pclnWriter) position(n *node) (at sourcePosition, err error) {
	at = sourcePosition{unit: goruntime.NoOffset, line: n.info.StartLine}
	file := int32(-1)
	for _, a := range n.sym.Auxs() {
		if a.Type() != goobj.AuxPcfile {
			continue
		}
		if i, ok := n.obj.Index(a.Sym()); ok {
			file = firstValue(n.obj.Sym(i).Data())
		}
	}
	if file < 0 || at.line <= 0 {
		return at, nil
	}
	if at.unit, err = w.unit(n.obj); err != nil {
		return at, err
	}
	if at.pcfile, err = w.ld.mod.PCTable(moduledata.PCRun{Value: file, Bytes: stubSize}); err != nil {
		return at, err
	}
	at.pcline, err = w.ld.mod.PCTable(moduledata.PCRun{Value: at.line, Bytes: stubSize})
	return at, err
}

// firstValue returns the value of a PC-value table for the first instruction.
func firstValue(table []byte) int32 {
	d, n := binary.Uvarint(table)
	if n <= 0 {
		return -1
	}
	return -1 + (int32(uint32(d)>>1) ^ -int32(d&1))
}

// moveStubs gives the stubs of redefined functions their new source positions.
func (ld *load) moveStubs() {
	m := ld.mod
	for s, at := range ld.stubPositions {
		off := m.FindFunc(s.addr)
		for i, v := range map[int]uint32{5: at.pcfile, 6: at.pcline, 8: at.unit, 9: uint32(at.line)} {
			m.Functions.StoreUint32(off+4*i, v)
		}
	}
}

func (w *pclnWriter) addFunc(n *node) error {
	f := moduledata.Function{
		Entry: n.addr, Size: uintptr(n.sym.Size()), Unit: goruntime.NoOffset,
		Args: n.info.Args, StartLine: n.info.StartLine, ID: n.info.FuncID, Flag: n.info.FuncFlag,
		DeferReturn: w.deferReturn(n),
	}
	var err error
	if f.Name, err = w.name(n.name); err != nil {
		return err
	}
	if _, ok := n.sym.Aux(goobj.AuxFuncInfo); !ok {
		return w.ld.mod.AddFunction(f)
	}
	if f.Unit, err = w.unit(n.obj); err != nil {
		return err
	}
	var inline uint32
	for _, a := range n.sym.Auxs() {
		switch a.Type() {
		case goobj.AuxPcsp:
			f.PCSP, err = w.table(n.obj, a.Sym())
		case goobj.AuxPcfile:
			f.PCFile, err = w.table(n.obj, a.Sym())
		case goobj.AuxPcline:
			f.PCLine, err = w.table(n.obj, a.Sym())
		case goobj.AuxPcinline:
			inline, err = w.table(n.obj, a.Sym())
		case goobj.AuxPcdata:
			var off uint32
			off, err = w.table(n.obj, a.Sym())
			f.PCData = append(f.PCData, off)
		case goobj.AuxFuncdata:
			var off uint32
			off, err = w.funcdata(n, a.Sym())
			f.FuncData = append(f.FuncData, off)
		}
		if err != nil {
			return err
		}
	}
	if len(n.info.InlTree) > 0 {
		f.PCData = moduledata.SetAt(f.PCData, goruntime.PcdataInlTreeIndex, inline, 0)
		tree, err := w.inlTree(n)
		if err != nil {
			return err
		}
		f.FuncData = moduledata.SetAt(f.FuncData, goruntime.FuncdataInlTree, tree, goruntime.NoOffset)
	}
	return w.ld.mod.AddFunction(f)
}

// deferReturn returns the offset of the call of runtime.deferreturn, at which a function continues after a recover; 0 if there is none.
func (w *pclnWriter) deferReturn(n *node) uint32 {
	for i, r := range n.relocs {
		if r.Type() == goobj.RelCall && n.values[i].node == nil && n.values[i].addr == w.ld.runtime.DeferReturn {
			return uint32(r.Off()) - callOperandOff
		}
	}
	return 0
}

func (w *pclnWriter) funcdata(n *node, ref goobj.Ref) (uint32, error) {
	if w.ld.ignoreFuncdata(n, 0, ref) {
		return goruntime.NoOffset, nil
	}
	t, err := w.ld.resolve(n.obj, ref)
	if err != nil {
		return goruntime.NoOffset, err
	}
	return uint32(t.address() - w.ld.mod.ModuleData.Gofunc), nil
}

// inlTree writes the list of inlined calls, each in the form of runtime.inlinedCall, and returns its offset.
func (w *pclnWriter) inlTree(n *node) (uint32, error) {
	var b []byte
	le := binary.LittleEndian
	for _, c := range n.info.InlTree {
		name, fi := w.inlined(n.obj, c.Func)
		off, err := w.name(name)
		if err != nil {
			return goruntime.NoOffset, err
		}
		b = append(b, fi.FuncID, 0, 0, 0)
		b = le.AppendUint32(b, off)
		b = le.AppendUint32(b, uint32(c.ParentPC))
		b = le.AppendUint32(b, uint32(fi.StartLine))
	}
	addr, err := w.ld.mod.ReadOnly.Alloc(uintptr(len(b)), 4)
	if err != nil {
		return goruntime.NoOffset, err
	}
	copy(w.ld.mod.ReadOnly.Bytes(addr, len(b)), b)
	return uint32(addr - w.ld.mod.ModuleData.Gofunc), nil
}

// inlined returns the name and information of an inlined function. If the object that inlines it has no
// name for it, they come from the package that defines it.
func (w *pclnWriter) inlined(o *object, ref goobj.Ref) (string, goobj.FuncInfo) {
	if ref.Pkg == goobj.PkgBuiltin {
		b, err := w.ld.index.Builtin(ref.Sym)
		if err != nil {
			return "?", goobj.FuncInfo{}
		}
		return b.Name, goobj.FuncInfo{}
	}
	i, ok := o.Index(ref)
	if !ok {
		p, err := w.ld.imported(o, o.Package(ref.Pkg))
		if err != nil {
			return "?", goobj.FuncInfo{}
		}
		o, i = p.objs[0], int(ref.Sym)
	}
	s := o.Sym(i)
	if !s.Defined() {
		return s.Name(), goobj.FuncInfo{}
	}
	fi, err := funcInfo(o, s)
	if err != nil {
		return s.Name(), goobj.FuncInfo{}
	}
	return s.Name(), fi
}

// ignoreFuncdata reports whether a reference to a function's table has no target: the assembler writes
// such references even if the compiler does not define the table.
func (ld *load) ignoreFuncdata(n *node, _ int, ref goobj.Ref) bool {
	if ref.IsZero() {
		return true
	}
	i, ok := n.obj.Index(ref)
	if !ok || !n.obj.FromAssembly() || n.obj.Sym(i).Defined() {
		return false
	}
	_, found := n.obj.pkg.find(symKey{n.obj.Sym(i).Name(), goobj.ABI0})
	return !found
}
