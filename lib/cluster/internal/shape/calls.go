package shape

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Calls returns a hash of the calls of a function with the given encoded arguments. function is
// a name such as "main.Square (main.go:12)", and arg and result are names of types. The hash
// does not change when the function moves in its file.
func Calls(function, arg, result string, args [][]byte) string {
	name, _, _ := strings.Cut(function, " (")
	h := sha256.New()
	for _, s := range []string{name, arg, result} {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	for _, a := range args {
		h.Write(binary.AppendUvarint(nil, uint64(len(a))))
		h.Write(a)
	}
	return hex.EncodeToString(h.Sum(nil))
}
