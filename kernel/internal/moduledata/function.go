package moduledata

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// A Function holds the contents of a runtime._func.
type Function struct {
	Entry, Size          uintptr // Size is not stored in the runtime._func
	Name, Args           uint32
	DeferReturn          uint32
	PCSP, PCFile, PCLine uint32
	Unit                 uint32
	StartLine            int32
	ID, Flag             uint8
	PCData, FuncData     []uint32
}

// AddFunction adds a function to the runtime's tables. Functions must be added in the order of their addresses.
func (m *Module) AddFunction(f Function) error {
	off, err := m.Functions.Grow(goruntime.FuncSize+4*len(f.PCData)+4*len(f.FuncData), 8)
	if err != nil {
		return err
	}
	b := m.Functions.buf[off:off:m.Functions.n]
	le := binary.LittleEndian
	for _, v := range []uint32{uint32(f.Entry - m.ModuleData.Text), f.Name, f.Args, f.DeferReturn,
		f.PCSP, f.PCFile, f.PCLine, uint32(len(f.PCData)), f.Unit, uint32(f.StartLine)} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, f.ID, f.Flag, 0, uint8(len(f.FuncData)))
	for _, v := range f.PCData {
		b = le.AppendUint32(b, v)
	}
	for _, v := range f.FuncData {
		b = le.AppendUint32(b, v)
	}
	return m.addFunc(f.Entry, f.Size, off)
}

// Function returns the function that AddFunction wrote at an offset of m.Functions, without its size.
func (m *Module) Function(off int) Function {
	u := func(i int) uint32 { return m.Functions.Uint32(off + 4*i) }
	b := m.Functions.buf[off:]
	f := Function{
		Entry: m.ModuleData.Text + uintptr(u(0)), Name: u(1), Args: u(2), DeferReturn: u(3),
		PCSP: u(4), PCFile: u(5), PCLine: u(6), Unit: u(8), StartLine: int32(u(9)),
		ID: b[40], Flag: b[41], PCData: make([]uint32, u(7)), FuncData: make([]uint32, b[43]),
	}
	for i := range f.PCData {
		f.PCData[i] = u(goruntime.FuncSize/4 + i)
	}
	for i := range f.FuncData {
		f.FuncData[i] = u(goruntime.FuncSize/4 + len(f.PCData) + i)
	}
	return f
}
