// Package divert ends a goroutine when the innermost call from a cell on its stack returns: it changes the return
// address of that call. A diversion is the generated code to which the changed address leads.
package divert

import (
	"errors"
	"reflect"
	"runtime"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// A goroutine that is in the standard library, blocked or running, cannot be
// stopped there, since it may hold a lock. It can be made to stop when it returns
// to code of a cell: the return address of its innermost call from a cell is
// changed while the world is stopped. The new address is in a "diversion": a function that
// contains only a call of halt, at the same offset as the original return address. The
// diversion is in the runtime's tables with the data of the original function, so
// stack walks give the same result. The return address of halt is the original
// address, as if halt had been called in place of the current call. So
// open-coded defers run as they do after a panic in that call.

// unsafePoint is the value in a PC-value table that forbids preemption.
const unsafePoint = -2

// ErrNoCell reports that a goroutine has no call from a cell on its stack.
var ErrNoCell = errors.New("the goroutine has no call from a cell on its stack")

// A Diverter changes return addresses. It holds the lock of the Module while it adds code to the Module. Its methods
// may be called concurrently.
type Diverter struct {
	runtime *goruntime.Runtime
	module  *moduledata.Module

	gaps        []uintptr               // see Gaps
	injected    [2]goruntime.AddrRange  // runtime.asyncPreempt and runtime.sigpanic
	moreStack   [2]uintptr              // functions that a stack check calls, also to be preempted
	diversions  map[returnPoint]uintptr // addresses that replace return points
	isDiversion map[uintptr]bool        // values of diversions
}

// NewDiverter returns a Diverter for the code that is loaded into m.
func NewDiverter(rt *goruntime.Runtime, m *moduledata.Module) *Diverter {
	return &Diverter{
		runtime: rt, module: m,
		injected: findInjected(rt), moreStack: findMoreStack(rt),
		diversions: map[returnPoint]uintptr{}, isDiversion: map[uintptr]bool{},
	}
}

// Divert makes goroutine g call halt when it next continues in code of a cell. g must not be the caller. Divert stops
// the world; the caller must not hold locks. It returns ErrNoCell if g has no call from a cell. Divert calls wanted
// when the world has stopped. If wanted returns false, Divert does nothing and returns nil. The goroutine may have
// called halt before, and may now run deferred functions of a cell, which must not be diverted.
func (d *Diverter) Divert(gs *goruntime.Goroutines, g uintptr, halt func(), wanted func() bool) error {
	d.module.Lock()
	defer d.module.Unlock()
	err := ErrNoCell
	gs.Stopped(func() {
		if !wanted() {
			err = nil
			return
		}
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

// returnPoint returns the return point at which a goroutine that does not run will continue
// in a cell, and the address of the word that holds it; 0 if there is none.
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

// A returnPoint is an address in a cell at which a goroutine will continue: after a
// call or, if async is set, at the instruction where it was preempted.
type returnPoint struct {
	pc    uintptr
	async bool
}

// calleeOf returns an address in the function whose return address is in slot.
func calleeOf(slot, at, bp uintptr) uintptr {
	for ; bp+returnOffset != slot; bp = platform.Read[uintptr](bp) {
		at = platform.Read[uintptr](bp + returnOffset)
	}
	return at
}

// CallSite returns the return address of the innermost call from cell code in goroutine g, and the address of the
// word that holds it. at and bp are the program counter and the frame pointer of g, which must not run during the
// call. CallSite may be called in a signal handler. There the frame pointer may be invalid, since assembly code
// sometimes uses that register for other data. So CallSite also checks the frames of the callers, and returns zeros
// if one is invalid.
func (d *Diverter) CallSite(g, at, bp uintptr) (slot, pc uintptr) {
	return d.callSite(g, at, bp, false)
}

// callSite is CallSite. With async, it also finds an address at which the goroutine was preempted,
// if the function does not have open-coded defers.
func (d *Diverter) callSite(g, at, bp uintptr, async bool) (slot, pc uintptr) {
	const enough = 16
	lo, hi := platform.Read[uintptr](g+goruntime.GStackLo), platform.Read[uintptr](g+goruntime.GStackHi)
	for above := 0; above < enough; above++ {
		if bp == 0 {
			break
		}
		if bp < lo || bp >= hi-recordSize || bp%8 != 0 {
			return 0, 0
		}
		ret := platform.Read[uintptr](bp + returnOffset)
		if !d.isCode(ret) {
			return 0, 0
		}
		if slot == 0 {
			above = 0
			preempted := d.injected[0].Contains(at)
			if d.module.OfCell(ret-1) && !d.injected[1].Contains(at) && (!preempted || async && !d.module.OpenDefers(ret)) {
				slot, pc = bp+returnOffset, ret
			}
		}
		at, lo, bp = ret, bp+recordSize, platform.Read[uintptr](bp)
	}
	return slot, pc
}

// findInjected returns the address ranges of the functions that a signal handler makes a goroutine call
// at any instruction: their return addresses do not follow a call instruction.
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

func (d *Diverter) isCode(pc uintptr) bool {
	return pc >= d.runtime.FirstModule.Text && pc < d.runtime.FirstModule.Etext || d.module.Contains(pc)
}

// Diversion returns the address of a diversion that calls halt in place of a return to pc. It returns ErrNoCell if pc
// is not in code of a cell, or is itself the address of a diversion.
func (d *Diverter) Diversion(pc uintptr, halt func()) (uintptr, error) {
	d.module.Lock()
	defer d.module.Unlock()
	if !d.module.OfCell(pc-1) || d.isDiversion[pc] {
		return 0, ErrNoCell
	}
	return d.diversion(returnPoint{pc: pc}, reflect.ValueOf(halt).Pointer())
}

// diversion returns the address that replaces a return point. It adds the code if there is none yet.
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

// Gaps returns the number of bytes of code of each diversion that was added since the last call of Gaps. A child
// process must reserve these bytes, with link.Request.Gap, so that later code has the same addresses.
func (d *Diverter) Gaps() []uintptr {
	d.module.Lock()
	defer d.module.Unlock()
	list := d.gaps
	d.gaps = nil
	return list
}

func (d *Diverter) divertCode(way returnPoint, halt uintptr) (uintptr, error) {
	m := d.module
	at := way.pc - 1 // in the call instruction
	if way.async {
		at = way.pc
	}
	f := m.Function(m.FindFunc(at))
	off := way.pc - f.Entry
	sp := m.PCValue(f.PCSP, uint32(at-f.Entry))
	base, err := m.Text.Alloc(off+divertSize, codeAlign)
	if err != nil {
		return 0, err
	}
	code := m.Text.Bytes(base, int(off)+divertSize)
	for i := range off {
		code[i] = trap // never executed
	}
	_ = appendCall(code[off:off], way.pc, halt)
	size := uint32(off) + divertSize
	if f.PCSP, err = m.PCTable(moduledata.PCRun{Value: sp, Bytes: uint32(off) + pushed}, moduledata.PCRun{Value: sp + pushedSize, Bytes: divertSize - pushed}); err != nil {
		return 0, err
	}
	stay, err := m.PCTable(moduledata.PCRun{Value: unsafePoint, Bytes: size})
	if err != nil {
		return 0, err
	}
	f.PCData = moduledata.SetAt(f.PCData, goruntime.PcdataUnsafePoint, stay, 0)
	f.Entry, f.Size = base, uintptr(size)
	if f.DeferReturn != 0 {
		f.DeferReturn = uint32(off) // the function would continue there after a recover
	}
	return base + off, m.AddFunction(f)
}
