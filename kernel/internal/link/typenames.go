package link

import (
	"encoding/binary"
	"strings"

	"github.com/perijove/perijove/kernel/internal/symname"
)

// namePrefix begins the symbols that hold the names of types.
const namePrefix = "type:.namedata."

// nameFlags of an abi.Name are set where something follows the name.
const nameFlags = 1<<1 | 1<<2

// shortenName takes generated marks out of the name of a type, as fmt prints it.
// b is the content of symbol n, an abi.Name.
func shortenName(n *node, b []byte) {
	if !strings.HasPrefix(n.name, namePrefix) || !strings.Contains(n.name, symname.GeneratedMark) || b[0]&nameFlags != 0 {
		return
	}
	size, width := binary.Uvarint(b[1:])
	text := b[1+width:][:size]
	short := symname.Source(string(text))
	clear(text)
	copy(text, short)
	for i, rest := 0, len(short); i < width; i, rest = i+1, rest>>7 {
		b[1+i] = byte(rest&0x7f) | b[1+i]&0x80 // as many bytes as before
	}
}
