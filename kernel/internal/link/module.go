package link

import (
	"maps"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// A module is the one runtime module that holds everything ever loaded. Its
// tables only grow; a load becomes visible to the runtime when maxpc and edata
// move. It borrows the image's own bases for text, types, constants and
// function data, so that offsets between the image and loaded code just work.
type module struct {
	sync.Mutex // held by what adds to the module

	md *goruntime.ModuleData

	text, ro, data, noptr *arena

	names, cus, files, pctab, funcs, ftab, findfunc, mask *table
	fileOff                                               map[string]uint32

	nfunc      int
	subbuckets uintptr    // how many have a function
	typelinks  []typelink // sorted by string
}

type typelink struct {
	str string
	off int32
}

func newModule(h *goruntime.Runtime) (*module, error) {
	m := &module{fileOff: map[string]uint32{}}
	var err error
	mk := func(name string, base, size uintptr, prot platform.Prot) (a *arena) {
		if err == nil {
			a, err = newArena(name, base, size, prot)
		}
		return a
	}
	at := layoutFor(h)
	m.text = mk("code", at.base, at.text, platform.Execute)
	m.ro = mk("constant", at.base+at.text, at.ro, platform.ReadOnly)
	m.data = mk("variable", at.base+at.text+at.ro, at.data, 0)
	m.noptr = mk("plain variable", at.base+at.text+at.ro+at.data, at.noptr, 0)
	if m.data != nil {
		m.data.used = 64 // a round number in memory is no pointer to the first variable; see search.go
	}
	tab := func(name string, size int) (t *table) {
		if err == nil {
			t, err = newTable(name, size)
		}
		return t
	}
	m.names = tab("function name", 64<<20)
	m.cus = tab("compilation unit", 32<<20)
	m.files = tab("file name", 16<<20)
	m.pctab = tab("line", 256<<20)
	m.funcs = tab("function", 256<<20)
	m.ftab = tab("code address", 64<<20)
	m.findfunc = tab("code bucket", int(at.text)/goruntime.FuncBucket*goruntime.BucketSize+goruntime.BucketSize)
	m.mask = tab("pointer mask", int(at.data)/64)
	if err != nil {
		return nil, err
	}
	for _, t := range []*table{m.names, m.pctab} {
		t.n = 1 // offset 0 means none
	}
	if err := m.describe(h); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *module) describe(h *goruntime.Runtime) error {
	p, err := platform.Reserve(0, 1<<16)
	if err != nil {
		return err
	}
	// The header is only checked, never followed: copy the image's.
	copy(platform.Bytes(p, goruntime.PCHeaderSize), platform.Bytes(h.FirstModule.PcHeader, goruntime.PCHeaderSize))
	md := (*goruntime.ModuleData)(platform.Pointer(p + goruntime.PCHeaderSize))
	m.md = md
	md.PcHeader = p
	for _, s := range []struct {
		h    *goruntime.SliceHeader
		t    *table
		elem int
	}{
		{&md.Funcnametab, m.names, 1}, {&md.Cutab, m.cus, 4}, {&md.Filetab, m.files, 1},
		{&md.Pctab, m.pctab, 1}, {&md.Pclntable, m.funcs, 1}, {&md.Ftab, m.ftab, 8},
	} {
		s.h.Set(uintptr(unsafe.Pointer(&s.t.buf[0])), len(s.t.buf)/s.elem)
	}
	md.Findfunctab = uintptr(unsafe.Pointer(&m.findfunc.buf[0]))
	md.Minpc, md.Maxpc = m.text.base, m.text.base
	md.Text, md.Etext = h.FirstModule.Text, m.text.base+m.text.size
	md.Types, md.Etypes = h.FirstModule.Types, m.ro.base+m.ro.size
	md.Rodata, md.Gofunc, md.Epclntab = h.FirstModule.Rodata, h.FirstModule.Gofunc, m.ro.base+m.ro.size
	md.Data, md.Edata = m.data.base, m.data.base
	md.Noptrdata, md.Enoptrdata = m.noptr.base, m.noptr.base+m.noptr.size
	md.End = m.noptr.base + m.noptr.size
	md.Gcdatamask = goruntime.BitVector{N: int32(m.data.size / 8), Bytedata: uintptr(unsafe.Pointer(&m.mask.buf[0]))}
	(*goruntime.ModuleData)(platform.Pointer(*h.LastModule)).Next = uintptr(unsafe.Pointer(md))
	*h.LastModule = uintptr(unsafe.Pointer(md))
	h.ModulesInit()
	return nil
}

// setPointer marks the word at p, in the data arena, as one that may hold a pointer.
func (m *module) setPointer(p uintptr) {
	w := (p - m.data.base) / 8
	m.mask.buf[w/8] |= 1 << (w % 8)
}

func (m *module) isPointer(p uintptr) bool {
	w := (p - m.data.base) / 8
	return m.mask.buf[w/8]&(1<<(w%8)) != 0
}

func (m *module) clearPointer(p uintptr) {
	w := (p - m.data.base) / 8
	m.mask.buf[w/8] &^= 1 << (w % 8)
}

// addFunc enters a function into the tables by which the runtime finds
// functions. Functions come in the order of their addresses.
func (m *module) addFunc(entry, size uintptr, funcOff int) error {
	i := m.nfunc
	if _, err := m.ftab.grow(8, 8); err != nil {
		return err
	}
	textOff := func(p uintptr) uint32 { return uint32(p - m.md.Text) }
	m.ftab.putUint32(i*8, textOff(entry))
	m.ftab.putUint32(i*8+4, uint32(funcOff))
	m.ftab.putUint32(i*8+8, textOff(entry+size)) // the sentinel, overwritten by the next
	m.nfunc++
	m.fillBuckets(entry, max(i-1, 0))
	m.fillBuckets(entry+size, i)
	return nil
}

// fillBuckets names function i as the one at the start of every subbucket that
// begins before end and has no function yet.
func (m *module) fillBuckets(end uintptr, i int) {
	const perBucket = goruntime.FuncBucket / goruntime.FuncSubbucket
	for ; m.text.base+m.subbuckets*goruntime.FuncSubbucket < end; m.subbuckets++ {
		b := int(m.subbuckets/perBucket) * goruntime.BucketSize
		sub := int(m.subbuckets % perBucket)
		if sub == 0 {
			m.findfunc.putUint32(b, uint32(i))
		}
		m.findfunc.buf[b+4+sub] = byte(i - int(m.findfunc.uint32(b)))
	}
}

// publish makes everything loaded so far visible to the runtime.
func (m *module) publish() {
	atomic.StoreUintptr(&m.md.Edata, m.data.base+m.data.used)
	atomic.StoreUintptr(&m.md.Maxpc, m.text.base+m.text.used)
}

// snapshot returns a function that gives back everything allocated since. A
// failed load must leave no trace: children repeat the loads that succeeded and
// must arrive at the same addresses.
func (m *module) snapshot() (undo func()) {
	arenas := []*arena{m.text, m.ro, m.data, m.noptr}
	tables := []*table{m.names, m.cus, m.files, m.pctab, m.funcs, m.ftab, m.findfunc}
	var used []uintptr
	for _, a := range arenas {
		used = append(used, a.used)
	}
	var n []int
	for _, t := range tables {
		n = append(n, t.n)
	}
	nfunc, subbuckets := m.nfunc, m.subbuckets
	return func() {
		for p := (m.data.base + used[2] + 7) &^ 7; p < m.data.base+m.data.used; p += 8 {
			m.clearPointer(p)
		}
		for i, a := range arenas {
			clear(a.bytes(a.base+used[i], int(a.used-used[i])))
			a.used = used[i]
		}
		for i, t := range tables {
			t.n = n[i]
		}
		maps.DeleteFunc(m.fileOff, func(_ string, off uint32) bool { return int(off) >= m.files.n })
		m.nfunc, m.subbuckets = nfunc, subbuckets
		m.ftab.putUint32(nfunc*8, uint32(m.text.base+m.text.used-m.md.Text))
	}
}

// findFunc returns where the function at pc, in loaded code, is described. It
// may be called in a signal handler: it reads the tables that addFunc has written.
func (m *module) findFunc(pc uintptr) (funcOff int) {
	sub := (pc - m.text.base) / goruntime.FuncSubbucket
	b := int(sub/(goruntime.FuncBucket/goruntime.FuncSubbucket)) * goruntime.BucketSize
	i := int(m.findfunc.uint32(b)) + int(m.findfunc.buf[b+4+int(sub%(goruntime.FuncBucket/goruntime.FuncSubbucket))])
	off := uint32(pc - m.md.Text)
	for m.ftab.uint32((i+1)*8) <= off {
		i++
	}
	return int(m.ftab.uint32(i*8 + 4))
}

// Contains reports whether pc lies in loaded code.
func (m *module) Contains(pc uintptr) bool { return m.text.contains(pc) }

// OfCell reports whether pc lies in loaded code that may be stopped there: not
// that of the project's own library, which ends by its own means. It may be
// called in a signal handler.
func (m *module) OfCell(pc uintptr) bool {
	if pc < m.text.base || pc >= m.md.Maxpc {
		return false
	}
	const library = "github.com/perijove/perijove/lib/"
	name := m.names.buf[m.funcs.uint32(m.findFunc(pc)+4):]
	return len(name) < len(library) || string(name[:len(library)]) != library
}

// OpenDefers reports whether the function at pc, in loaded code, keeps its
// defers in bits. It may be called in a signal handler.
func (m *module) OpenDefers(pc uintptr) bool {
	if pc < m.text.base || pc >= m.md.Maxpc {
		return false
	}
	f := m.findFunc(pc)
	npcdata, nfuncdata := int(m.funcs.uint32(f+28)), int(m.funcs.buf[f+goruntime.FuncSize-1])
	return nfuncdata > goruntime.FuncdataOpenDefers && m.funcs.uint32(f+goruntime.FuncSize+4*(npcdata+goruntime.FuncdataOpenDefers)) != goruntime.NoOffset
}
