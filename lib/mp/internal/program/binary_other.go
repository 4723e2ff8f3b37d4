//go:build !linux

package program

// InSegment reports whether addr is in the binary.
func InSegment(addr uintptr) bool { return InImage(addr) }

// inData reports whether addr is known to be in the binary's writable data.
func inData(uintptr) bool { return false }

func VariableRanges() []Range { return nil }

func Ends() (low, high uintptr) { return 0, ^uintptr(0) }
