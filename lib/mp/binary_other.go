//go:build !linux

package mp

// inSegment reports whether addr is in the binary.
func inSegment(addr uintptr) bool { return inImage(addr) }

// inData reports whether addr is known to be in the binary's writable data.
func inData(uintptr) bool { return false }

func variableRanges() []Range { return nil }

func binaryEnds() (low, high uintptr) { return 0, ^uintptr(0) }
