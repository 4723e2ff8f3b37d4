package goobj

// A RelocType says how to compute what a relocation writes.
type RelocType uint16

const weakBit = 1 << 15

// Relocation types whose number depends on the release of Go.
const (
	relInitOrder126 RelocType = 99
	relInitOrder127 RelocType = 102 // in Go 1.26 a type that occurs in debug information alone
)

// IsInitOrder reports whether the relocation, of an init task, names a task
// that must run before.
func (t RelocType) IsInitOrder() bool { return t == relInitOrder126 || t == relInitOrder127 }
