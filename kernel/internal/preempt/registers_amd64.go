package preempt

import "unsafe"

// Offsets of frame pointer, stack pointer and program counter in a signal's
// context.
const (
	contextRBP = 120
	contextRSP = 160
	contextRIP = 168
)

// registers are those of the code that a signal has interrupted. What is changed here is in force when the handler returns.
type registers struct{ pc, sp, bp *uintptr }

// registersAt finds them in a runtime.sigctxt.
func registersAt(ctxt unsafe.Pointer) registers {
	uc := *(*unsafe.Pointer)(unsafe.Add(ctxt, 8))
	return registers{
		pc: (*uintptr)(unsafe.Add(uc, contextRIP)), sp: (*uintptr)(unsafe.Add(uc, contextRSP)), bp: (*uintptr)(unsafe.Add(uc, contextRBP)),
	}
}

// call makes the interrupted code call a function, which returns to ret.
func (r registers) call(function, ret uintptr) {
	*r.sp -= unsafe.Sizeof(uintptr(0))
	store(*r.sp, ret)
	*r.pc = function
}
