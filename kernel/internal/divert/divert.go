// Package divert changes the return address of a goroutine's innermost call from a cell, so that the goroutine ends when
// that call returns.
package divert

import (
	"errors"
	"reflect"
	"runtime"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// A goroutine that is in the standard library, blocked or at work, cannot be
// stopped there, since it may hold a lock. It can be made to stop when it comes
// back to code of a cell: the return address of its innermost call from there is
// changed, while the world is stopped. The new address lies in a copy of the
// function that consists of a call of halt at this very place, and is entered in
// the runtime's tables with the function's own data: for whoever walks the
// stack nothing has changed. halt finds the original address as its own return
// address, as if it had been called in place of what the goroutine is in; so
// defers in bits are as due as after a panic in that call.

// unsafePoint is the value by which a table forbids preemption.
const unsafePoint = -2

// ErrNoCell says that a goroutine has no call from a cell.
var ErrNoCell = errors.New("the goroutine is in no call from a cell")

// A Diverter changes return addresses. It adds code to the module, under its lock.
type Diverter struct {
	runtime *goruntime.Runtime
	module  *moduledata.Module

	gaps        []uintptr // bytes of code that diversions have used; see Gaps
	injected    [2]goruntime.AddrRange
	moreStack   [2]uintptr              // what a function calls, before it has a frame, to be preempted
	diversions  map[returnPoint]uintptr // what takes the place of an address to go on at
	isDiversion map[uintptr]bool        // addresses that have taken the place of another
}

// NewDiverter returns a Diverter for the code that is loaded into m.
func NewDiverter(rt *goruntime.Runtime, m *moduledata.Module) *Diverter {
	return &Diverter{
		runtime: rt, module: m,
		injected: findInjected(rt), moreStack: findMoreStack(rt),
		diversions: map[returnPoint]uintptr{}, isDiversion: map[uintptr]bool{},
	}
}

// Divert makes a goroutine, not the caller, call halt when it next goes on in
// code of a cell. It stops the world; the caller must not hold locks.
func (d *Diverter) Divert(gs *goruntime.Goroutines, g uintptr, halt func()) error {
	d.module.Lock()
	defer d.module.Unlock()
	err := ErrNoCell
	gs.Stopped(func() {
		slot, way := d.returnPoint(gs, g)
		if slot == 0 {
			return
		}
		to := way.pc
		if err = nil; !d.isDiversion[to] {
			to, err = d.diversion(way, reflect.ValueOf(halt).Pointer())
		}
		if err == nil {
			*(*uintptr)(platform.Pointer(slot)) = to
		}
	})
	return err
}

// returnPoint finds the place where a goroutine that does not run will go on
// in a cell, and where its address stands.
func (d *Diverter) returnPoint(gs *goruntime.Goroutines, g uintptr) (slot uintptr, w returnPoint) {
	at, bp := gs.Position(g)
	if at == 0 {
		return 0, returnPoint{}
	}
	if sp := d.stackCheckReturn(gs, g, at); sp != 0 {
		if ret := platform.Read[uintptr](sp); d.module.OfCell(ret - 1) {
			return sp, returnPoint{pc: ret}
		}
	} else if d.module.OfCell(at-1) && !gs.InSyscall(g) {
		return g + goruntime.GSchedPC, returnPoint{pc: at} // runtime.Gosched is inlined
	}
	slot, pc := d.callSite(g, at, bp, true)
	return slot, returnPoint{pc, slot != 0 && d.injected[0].Contains(calleeOf(slot, at, bp))}
}

// A returnPoint is an address in a cell at which a goroutine will go on: after a
// call, or wherever it was preempted.
type returnPoint struct {
	pc    uintptr
	async bool
}

// calleeOf returns an address in the function that returns by way of slot.
func calleeOf(slot, at, bp uintptr) uintptr {
	for ; bp+8 != slot; bp = platform.Read[uintptr](bp) {
		at = platform.Read[uintptr](bp + 8)
	}
	return at
}

// CallSite finds the return address of the innermost call that cell code has
// made in goroutine g, and where it stands, from a program counter and a frame
// pointer on. g must not run meanwhile. It may be called in a signal handler,
// where the register may hold something else: assembly code uses it at times. So
// the frames above are looked at, too.
func (d *Diverter) CallSite(g, at, bp uintptr) (slot, pc uintptr) {
	return d.callSite(g, at, bp, false)
}

// callSite finds, with async, also a place where the goroutine was preempted,
// in a function that does not keep its defers in bits.
func (d *Diverter) callSite(g, at, bp uintptr, async bool) (slot, pc uintptr) {
	const enough = 16
	lo, hi := platform.Read[uintptr](g+goruntime.GStackLo), platform.Read[uintptr](g+goruntime.GStackHi)
	for above := 0; above < enough; above++ {
		if bp == 0 {
			break
		}
		if bp < lo || bp >= hi-16 || bp%8 != 0 {
			return 0, 0
		}
		ret := platform.Read[uintptr](bp + 8)
		if !d.isCode(ret) {
			return 0, 0
		}
		if slot == 0 {
			above = 0
			preempted := d.injected[0].Contains(at)
			if d.module.OfCell(ret-1) && !d.injected[1].Contains(at) && (!preempted || async && !d.module.OpenDefers(ret)) {
				slot, pc = bp+8, ret
			}
		}
		at, lo, bp = ret, bp+16, platform.Read[uintptr](bp)
	}
	return slot, pc
}

// findInjected finds the functions that a signal handler makes a goroutine call
// wherever it is: they do not return to a call.
func findInjected(h *goruntime.Runtime) (list [2]goruntime.AddrRange) {
	for i, name := range []string{"runtime.asyncPreempt", "runtime.sigpanic"} {
		for abi := range uint16(2) {
			pc, ok := h.Index.Lookup(name, abi)
			if f := runtime.FuncForPC(pc); !ok || f == nil || f.Entry() != pc {
				continue
			}
			end := pc
			for f := runtime.FuncForPC(end); f != nil && f.Entry() == pc; f = runtime.FuncForPC(end) {
				end++
			}
			list[i] = goruntime.AddrRange{From: pc, To: end}
		}
	}
	return list
}

func findMoreStack(h *goruntime.Runtime) (list [2]uintptr) {
	for i, name := range []string{"runtime.morestack", "runtime.morestack_noctxt"} {
		list[i], _ = h.Index.Lookup(name, 0)
	}
	return list
}

// stackCheckReturn reports whether g, which is at pc, was preempted in the check at the
// beginning of a function: then the stack pointer, which it returns, is at the
// function's return address.
func (d *Diverter) stackCheckReturn(gs *goruntime.Goroutines, g, pc uintptr) (sp uintptr) {
	if gs.InSyscall(g) {
		return 0
	}
	to := calledBefore(pc)
	if to == 0 || to != d.moreStack[0] && to != d.moreStack[1] {
		return 0
	}
	return platform.Read[uintptr](g + goruntime.GSchedSP)
}

func (d *Diverter) isCode(pc uintptr) bool {
	return pc >= d.runtime.FirstModule.Text && pc < d.runtime.FirstModule.Etext || d.module.Contains(pc)
}

// Diversion returns the address that may take the place of return address pc.
func (d *Diverter) Diversion(pc uintptr, halt func()) (uintptr, error) {
	d.module.Lock()
	defer d.module.Unlock()
	if !d.module.OfCell(pc-1) || d.isDiversion[pc] {
		return 0, ErrNoCell
	}
	return d.diversion(returnPoint{pc: pc}, reflect.ValueOf(halt).Pointer())
}

// diversion returns the address that takes the place of another.
func (d *Diverter) diversion(way returnPoint, halt uintptr) (uintptr, error) {
	if to, ok := d.diversions[way]; ok {
		return to, nil
	}
	m := d.module
	undo, used := m.Snapshot(), m.Text.Used
	to, err := d.divertCode(way, halt)
	if err != nil {
		undo()
		return 0, err
	}
	m.Publish()
	d.gaps = append(d.gaps, m.Text.Used-used)
	d.diversions[way], d.isDiversion[to] = to, true
	return to, nil
}

// Gaps returns how many bytes of code diversions have used since the last call,
// for each. Another process must leave them out, by a Request, to have the same
// code at the same addresses.
func (d *Diverter) Gaps() []uintptr {
	d.module.Lock()
	defer d.module.Unlock()
	list := d.gaps
	d.gaps = nil
	return list
}

func (d *Diverter) divertCode(way returnPoint, halt uintptr) (uintptr, error) {
	m := d.module
	at := way.pc - 1 // in the call
	if way.async {
		at = way.pc
	}
	f := m.Function(m.FindFunc(at))
	off := way.pc - f.Entry
	sp := m.PCValue(f.PCSP, uint32(at-f.Entry))
	base, err := m.Text.Alloc(off+divertSize, 32)
	if err != nil {
		return 0, err
	}
	code := m.Text.Bytes(base, int(off)+divertSize)
	for i := range off {
		code[i] = trap // nothing comes here
	}
	_ = appendCall(code[off:off], way.pc, halt)
	size := uint32(off) + divertSize
	if f.PCSP, err = m.PCTable(moduledata.PCRun{Value: sp, Bytes: uint32(off) + pushed}, moduledata.PCRun{Value: sp + 8, Bytes: divertSize - pushed}); err != nil {
		return 0, err
	}
	stay, err := m.PCTable(moduledata.PCRun{Value: unsafePoint, Bytes: size})
	if err != nil {
		return 0, err
	}
	f.PCData = moduledata.SetAt(f.PCData, goruntime.PcdataUnsafePoint, stay, 0)
	f.Entry, f.Size = base, uintptr(size)
	if f.DeferReturn != 0 {
		f.DeferReturn = uint32(off) // where a recovered panic would go on
	}
	return base + off, m.AddFunction(f)
}
