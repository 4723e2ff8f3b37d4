package codec

import (
	"encoding/binary"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// AppendStrings appends strings with their lengths to b.
func AppendStrings(b []byte, ss ...string) []byte {
	for _, s := range ss {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// SplitStrings returns the strings that AppendStrings appended.
func SplitStrings(b []byte) ([]string, error) {
	var ss []string
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil, failure.ErrMalformed
		}
		ss = append(ss, string(b[k:k+int(n)]))
		b = b[k+int(n):]
	}
	return ss, nil
}

// Bit returns 1 for true and 0 for false.
func Bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func boolByte(b bool) byte { return byte(Bit(b)) }
