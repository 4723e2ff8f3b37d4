package link

import "encoding/binary"

// A pcRun is a value for a number of bytes of code.
type pcRun struct {
	value int32
	bytes uint32
}

// pcTable writes a PC-value table, as runtime.pcvalue reads it.
func (m *module) pcTable(runs ...pcRun) (uint32, error) {
	var b []byte
	last := int32(-1)
	for _, r := range runs {
		d := r.value - last
		b = binary.AppendUvarint(b, uint64(uint32(d<<1)^uint32(d>>31)))
		b = binary.AppendUvarint(b, uint64(r.bytes))
		last = r.value
	}
	off, err := m.pctab.append(append(b, 0))
	return uint32(off), err
}

// pcValue reads the value of a table for an offset into its function.
func (m *module) pcValue(table, off uint32) int32 {
	b := m.pctab.buf[table:m.pctab.n]
	value, pos := int32(-1), uint32(0)
	for {
		d, n := binary.Uvarint(b)
		if n <= 0 || d == 0 && pos > 0 {
			return value
		}
		b = b[n:]
		value += int32(uint32(d)>>1) ^ -int32(d&1)
		run, n := binary.Uvarint(b)
		if n <= 0 {
			return value
		}
		b = b[n:]
		if pos += uint32(run); off < pos {
			return value
		}
	}
}

func setAt(list []uint32, i int, v, fill uint32) []uint32 {
	for len(list) <= i {
		list = append(list, fill)
	}
	list[i] = v
	return list
}
