package moduledata

import "encoding/binary"

// A PCRun is a run of code bytes with the same value in a PC-value table. Bytes is a multiple of the length of the shortest instruction.
type PCRun struct {
	Value int32
	Bytes uint32
}

// PCTable appends a PC-value table in the format of runtime.pcvalue, and returns its offset.
func (m *Module) PCTable(runs ...PCRun) (uint32, error) {
	var b []byte
	last := int32(-1)
	for _, r := range runs {
		d := r.Value - last
		b = binary.AppendUvarint(b, uint64(uint32(d<<1)^uint32(d>>31)))
		b = binary.AppendUvarint(b, uint64(r.Bytes/pcQuantum))
		last = r.Value
	}
	off, err := m.PCTables.Append(append(b, 0))
	return uint32(off), err
}

// PCValue returns the value that a table has for an offset into its function.
func (m *Module) PCValue(table, off uint32) int32 {
	b := m.PCTables.buf[table:m.PCTables.n]
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
		if pos += uint32(run) * pcQuantum; off < pos {
			return value
		}
	}
}

// SetAt sets element i of a list to v. If the list is too short, SetAt appends fill first.
func SetAt(list []uint32, i int, v, fill uint32) []uint32 {
	for len(list) <= i {
		list = append(list, fill)
	}
	list[i] = v
	return list
}
