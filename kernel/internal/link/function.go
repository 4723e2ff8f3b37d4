package link

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// A function is what a runtime._func says.
type function struct {
	entry, size          uintptr // the size is not in the table
	name, args           uint32
	deferreturn          uint32
	pcsp, pcfile, pcline uint32
	unit                 uint32
	startLine            int32
	id, flag             uint8
	pcdata, funcdata     []uint32
}

// emit enters a function into the runtime's tables.
func (m *module) emit(f function) error {
	off, err := m.funcs.grow(goruntime.FuncSize+4*len(f.pcdata)+4*len(f.funcdata), 8)
	if err != nil {
		return err
	}
	b := m.funcs.buf[off:off:m.funcs.n]
	le := binary.LittleEndian
	for _, v := range []uint32{uint32(f.entry - m.md.Text), f.name, f.args, f.deferreturn,
		f.pcsp, f.pcfile, f.pcline, uint32(len(f.pcdata)), f.unit, uint32(f.startLine)} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, f.id, f.flag, 0, uint8(len(f.funcdata)))
	for _, v := range f.pcdata {
		b = le.AppendUint32(b, v)
	}
	for _, v := range f.funcdata {
		b = le.AppendUint32(b, v)
	}
	return m.addFunc(f.entry, f.size, off)
}

// function reads what emit has written, but for the size.
func (m *module) function(off int) function {
	u := func(i int) uint32 { return m.funcs.uint32(off + 4*i) }
	b := m.funcs.buf[off:]
	f := function{
		entry: m.md.Text + uintptr(u(0)), name: u(1), args: u(2), deferreturn: u(3),
		pcsp: u(4), pcfile: u(5), pcline: u(6), unit: u(8), startLine: int32(u(9)),
		id: b[40], flag: b[41], pcdata: make([]uint32, u(7)), funcdata: make([]uint32, b[43]),
	}
	for i := range f.pcdata {
		f.pcdata[i] = u(goruntime.FuncSize/4 + i)
	}
	for i := range f.funcdata {
		f.funcdata[i] = u(goruntime.FuncSize/4 + len(f.pcdata) + i)
	}
	return f
}
