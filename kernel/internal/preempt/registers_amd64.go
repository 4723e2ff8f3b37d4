package preempt

import "unsafe"

// Byte offsets of frame pointer, stack pointer and program counter in a signal's
// context.
const (
	contextRBP = 120
	contextRSP = 160
	contextRIP = 168
)

// registers points to the registers of the code that a signal has interrupted. Changes take effect when the handler returns.
type registers struct{ pc, sp, bp *uintptr }

// registersAt returns the registers in a runtime.sigctxt.
func registersAt(ctxt unsafe.Pointer) registers {
	uc := *(*unsafe.Pointer)(unsafe.Add(ctxt, 8))
	return registers{
		pc: (*uintptr)(unsafe.Add(uc, contextRIP)), sp: (*uintptr)(unsafe.Add(uc, contextRSP)), bp: (*uintptr)(unsafe.Add(uc, contextRBP)),
	}
}

// link returns the link register, or 0 on a processor that has none.
func (r registers) link() uintptr { return 0 }

// hasFrame reports whether the frame pointer is that of a frame on the current stack.
func (r registers) hasFrame() bool { return *r.bp >= *r.sp }

// call makes the interrupted code call a function that returns to ret.
func (r registers) call(function, ret uintptr) {
	*r.sp -= unsafe.Sizeof(uintptr(0))
	store(*r.sp, ret)
	*r.pc = function
}
