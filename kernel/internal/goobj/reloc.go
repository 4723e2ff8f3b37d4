package goobj

// A RelocType says how to compute the value of a relocation.
type RelocType uint16

const weakBit = 1 << 15

// Relocation types whose number depends on the release of Go.
const (
	relInitOrder126 RelocType = 99
	relInitOrder127 RelocType = 102 // in Go 1.26 this number is a type that occurs only in debug information
)

// IsInitOrder reports whether the relocation is in an init task and refers to another task that must run first.
func (t RelocType) IsInitOrder() bool { return t == relInitOrder126 || t == relInitOrder127 }
