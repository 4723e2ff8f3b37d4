// Package moduledata holds the runtime module to which all loaded code belongs: code, constants and variables, and
// the tables in which the runtime finds functions. This memory and the tables are only added to.
package moduledata

import (
	"maps"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// A Module is the runtime module that holds all loaded code and data. Its
// tables only grow. A load becomes visible to the runtime when Publish raises Maxpc and Edata.
// Its base addresses for text, types, constants and function data are those of the image,
// so that offsets between the image and loaded code are valid.
type Module struct {
	sync.Mutex // callers that add to the module must hold it

	ModuleData *goruntime.ModuleData

	Text, ReadOnly, Data, NoPtr *Arena

	Names, Units, Files, PCTables, Functions, ftab, findfunc, mask *table
	FileOffsets                                                    map[string]uint32

	nfunc      int
	subbuckets uintptr    // number of subbuckets that are filled in
	TypeLinks  []TypeLink // sorted by string
}

// A TypeLink is the string of a type, with the offset of the type from ModuleData.Types.
type TypeLink struct {
	Str string
	Off int32
}

// New reserves the memory of a Module and adds the module to the runtime's list of modules.
func New(h *goruntime.Runtime) (*Module, error) {
	m := &Module{FileOffsets: map[string]uint32{}}
	var err error
	mk := func(name string, base, size uintptr, prot platform.Prot) (a *Arena) {
		if err == nil {
			a, err = newArena(name, base, size, prot)
		}
		return a
	}
	at := layoutFor(h)
	m.Text = mk("code", at.base, at.text, platform.Execute)
	m.ReadOnly = mk("constant", at.base+at.text, at.ro, platform.ReadOnly)
	m.Data = mk("variable", at.base+at.text+at.ro, at.data, 0)
	m.NoPtr = mk("plain variable", at.base+at.text+at.ro+at.data, at.noptr, 0)
	if m.Data != nil {
		m.Data.Used = 64 // so that round numbers in memory do not look like pointers to the first variable; see goruntime.FindPointers
	}
	tab := func(name string, size int) (t *table) {
		if err == nil {
			t, err = newTable(name, size)
		}
		return t
	}
	m.Names = tab("function name", 64<<20)
	m.Units = tab("compilation unit", 32<<20)
	m.Files = tab("file name", 16<<20)
	m.PCTables = tab("line", 256<<20)
	m.Functions = tab("function", 256<<20)
	m.ftab = tab("code address", 64<<20)
	m.findfunc = tab("code bucket", int(at.text)/goruntime.FuncBucket*goruntime.BucketSize+goruntime.BucketSize)
	m.mask = tab("pointer mask", int(at.data)/64)
	if err != nil {
		return nil, err
	}
	for _, t := range []*table{m.Names, m.PCTables} {
		t.n = 1 // offset 0 means none
	}
	if err := m.initModuleData(h); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Module) initModuleData(h *goruntime.Runtime) error {
	p, err := platform.Reserve(0, 1<<16)
	if err != nil {
		return err
	}
	// The runtime only checks the header and does not use its offsets, so the header can be a copy of the image's.
	copy(platform.Bytes(p, goruntime.PCHeaderSize), platform.Bytes(h.FirstModule.PcHeader, goruntime.PCHeaderSize))
	md := (*goruntime.ModuleData)(platform.Pointer(p + goruntime.PCHeaderSize))
	m.ModuleData = md
	md.PcHeader = p
	for _, s := range []struct {
		h    *goruntime.SliceHeader
		t    *table
		elem int
	}{
		{&md.Funcnametab, m.Names, 1}, {&md.Cutab, m.Units, 4}, {&md.Filetab, m.Files, 1},
		{&md.Pctab, m.PCTables, 1}, {&md.Pclntable, m.Functions, 1}, {&md.Ftab, m.ftab, 8},
	} {
		s.h.Set(uintptr(unsafe.Pointer(&s.t.buf[0])), len(s.t.buf)/s.elem)
	}
	md.Findfunctab = uintptr(unsafe.Pointer(&m.findfunc.buf[0]))
	md.Minpc, md.Maxpc = m.Text.Base, m.Text.Base
	md.Text, md.Etext = h.FirstModule.Text, m.Text.Base+m.Text.Size
	md.Types, md.Etypes = h.FirstModule.Types, m.ReadOnly.Base+m.ReadOnly.Size
	md.Rodata, md.Gofunc, md.Epclntab = h.FirstModule.Rodata, h.FirstModule.Gofunc, m.ReadOnly.Base+m.ReadOnly.Size
	md.Data, md.Edata = m.Data.Base, m.Data.Base
	md.Noptrdata, md.Enoptrdata = m.NoPtr.Base, m.NoPtr.Base+m.NoPtr.Size
	md.End = m.NoPtr.Base + m.NoPtr.Size
	md.Gcdatamask = goruntime.BitVector{N: int32(m.Data.Size / 8), Bytedata: uintptr(unsafe.Pointer(&m.mask.buf[0]))}
	(*goruntime.ModuleData)(platform.Pointer(*h.LastModule)).Next = uintptr(unsafe.Pointer(md))
	*h.LastModule = uintptr(unsafe.Pointer(md))
	h.ModulesInit()
	return nil
}

// DataEnd returns the address after the area for variables.
func (m *Module) DataEnd() uintptr { return m.NoPtr.Base + m.NoPtr.Size }

// SetPointer marks the word at p, in the data arena, as one that may hold a pointer.
func (m *Module) SetPointer(p uintptr) {
	w := (p - m.Data.Base) / 8
	m.mask.buf[w/8] |= 1 << (w % 8)
}

func (m *Module) isPointer(p uintptr) bool {
	w := (p - m.Data.Base) / 8
	return m.mask.buf[w/8]&(1<<(w%8)) != 0
}

func (m *Module) clearPointer(p uintptr) {
	w := (p - m.Data.Base) / 8
	m.mask.buf[w/8] &^= 1 << (w % 8)
}

// addFunc adds a function to the tables in which the runtime finds
// functions. Functions must be added in the order of their addresses.
func (m *Module) addFunc(entry, size uintptr, funcOff int) error {
	i := m.nfunc
	if _, err := m.ftab.Grow(8, 8); err != nil {
		return err
	}
	textOff := func(p uintptr) uint32 { return uint32(p - m.ModuleData.Text) }
	m.ftab.PutUint32(i*8, textOff(entry))
	m.ftab.PutUint32(i*8+4, uint32(funcOff))
	m.ftab.PutUint32(i*8+8, textOff(entry+size)) // the sentinel, which the next function overwrites
	m.nfunc++
	m.fillBuckets(entry, max(i-1, 0))
	m.fillBuckets(entry+size, i)
	return nil
}

// fillBuckets enters function i as the first function of every subbucket that
// begins before end and is not filled in yet.
func (m *Module) fillBuckets(end uintptr, i int) {
	const perBucket = goruntime.FuncBucket / goruntime.FuncSubbucket
	for ; m.Text.Base+m.subbuckets*goruntime.FuncSubbucket < end; m.subbuckets++ {
		b := int(m.subbuckets/perBucket) * goruntime.BucketSize
		sub := int(m.subbuckets % perBucket)
		if sub == 0 {
			m.findfunc.PutUint32(b, uint32(i))
		}
		m.findfunc.buf[b+4+sub] = byte(i - int(m.findfunc.Uint32(b)))
	}
}

// Publish makes all code and data added so far visible to the runtime.
func (m *Module) Publish() {
	platform.FlushCode(m.ModuleData.Maxpc, int(m.Text.Base+m.Text.Used-m.ModuleData.Maxpc))
	atomic.StoreUintptr(&m.ModuleData.Edata, m.Data.Base+m.Data.Used)
	atomic.StoreUintptr(&m.ModuleData.Maxpc, m.Text.Base+m.Text.Used)
}

// Snapshot returns a function that frees everything allocated since the snapshot. A failed load must not use up
// addresses: children repeat only the loads that succeeded, and must get the same addresses.
func (m *Module) Snapshot() (undo func()) {
	arenas := []*Arena{m.Text, m.ReadOnly, m.Data, m.NoPtr}
	tables := []*table{m.Names, m.Units, m.Files, m.PCTables, m.Functions, m.ftab, m.findfunc}
	var used []uintptr
	for _, a := range arenas {
		used = append(used, a.Used)
	}
	var n []int
	for _, t := range tables {
		n = append(n, t.n)
	}
	nfunc, subbuckets := m.nfunc, m.subbuckets
	return func() {
		for p := (m.Data.Base + used[2] + 7) &^ 7; p < m.Data.Base+m.Data.Used; p += 8 {
			m.clearPointer(p)
		}
		for i, a := range arenas {
			clear(a.Bytes(a.Base+used[i], int(a.Used-used[i])))
			a.Used = used[i]
		}
		for i, t := range tables {
			t.n = n[i]
		}
		maps.DeleteFunc(m.FileOffsets, func(_ string, off uint32) bool { return int(off) >= m.Files.n })
		m.nfunc, m.subbuckets = nfunc, subbuckets
		m.ftab.PutUint32(nfunc*8, uint32(m.Text.Base+m.Text.Used-m.ModuleData.Text))
	}
}

// FindFunc returns the offset in m.Functions of the function at pc, which must be in loaded code. It
// may be called in a signal handler: it only reads tables.
func (m *Module) FindFunc(pc uintptr) (funcOff int) {
	sub := (pc - m.Text.Base) / goruntime.FuncSubbucket
	b := int(sub/(goruntime.FuncBucket/goruntime.FuncSubbucket)) * goruntime.BucketSize
	i := int(m.findfunc.Uint32(b)) + int(m.findfunc.buf[b+4+int(sub%(goruntime.FuncBucket/goruntime.FuncSubbucket))])
	off := uint32(pc - m.ModuleData.Text)
	for m.ftab.Uint32((i+1)*8) <= off {
		i++
	}
	return int(m.ftab.Uint32(i*8 + 4))
}

// Contains reports whether pc is in the area for loaded code.
func (m *Module) Contains(pc uintptr) bool { return m.Text.Contains(pc) }

// OfCell reports whether pc is in loaded code in which a goroutine may be stopped. That is all loaded code except
// Perijove's library, which handles interrupts itself. OfCell may be called in a signal handler.
func (m *Module) OfCell(pc uintptr) bool {
	if pc < m.Text.Base || pc >= m.ModuleData.Maxpc {
		return false
	}
	const library = "github.com/perijove/perijove/lib/"
	name := m.Names.buf[m.Functions.Uint32(m.FindFunc(pc)+4):]
	return len(name) < len(library) || string(name[:len(library)]) != library
}

// OpenDefers reports whether the function at pc, in loaded code, has open-coded defers, which means that it records
// pending defers as bits. OpenDefers may be called in a signal handler.
func (m *Module) OpenDefers(pc uintptr) bool {
	if pc < m.Text.Base || pc >= m.ModuleData.Maxpc {
		return false
	}
	f := m.FindFunc(pc)
	npcdata, nfuncdata := int(m.Functions.Uint32(f+28)), int(m.Functions.buf[f+goruntime.FuncSize-1])
	return nfuncdata > goruntime.FuncdataOpenDefers && m.Functions.Uint32(f+goruntime.FuncSize+4*(npcdata+goruntime.FuncdataOpenDefers)) != goruntime.NoOffset
}
