package program

import (
	"encoding/binary"
	"os"
	"sync"
	"unsafe"
)

// Segments returns all loaded segments of the binary, and the writable segments among them.
// It reads the program headers, which exist also in a stripped or position-independent
// binary.
var Segments = sync.OnceValues(func() (all, data []Range) {
	const (
		atPhdr, atPhnum = 3, 5 // in the auxiliary vector
		load, phdr      = 1, 6 // types of program headers
		writable        = 2
	)
	if WordSize != 8 {
		return nil, nil
	}
	aux, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return nil, nil
	}
	value := map[uint64]uint64{}
	for ; len(aux) >= 16; aux = aux[16:] {
		value[binary.NativeEndian.Uint64(aux)] = binary.NativeEndian.Uint64(aux[8:])
	}
	if value[atPhdr] == 0 || value[atPhnum] == 0 || value[atPhnum] > 1<<10 {
		return nil, nil
	}
	headers := unsafe.Slice((*programHeader)(PointerTo(uintptr(value[atPhdr]))), value[atPhnum])
	base := uint64(0) // the load address minus the link address
	for _, h := range headers {
		if h.Type == phdr {
			base = value[atPhdr] - h.Vaddr
		}
	}
	for _, h := range headers {
		if h.Type != load {
			continue
		}
		s := Range{uintptr(base + h.Vaddr), uintptr(base + h.Vaddr + h.Memsz)}
		all = append(all, s)
		if h.Flags&writable != 0 {
			data = append(data, s)
		}
	}
	if !inSpans(all, Base()) { // this package is not in the executable
		return nil, nil
	}
	return all, data
})

// A programHeader is an ELF program header with 64 bits.
type programHeader struct {
	Type, Flags                                uint32
	Offset, Vaddr, Paddr, Filesz, Memsz, Align uint64
}

func inSpans(spans []Range, addr uintptr) bool {
	for _, s := range spans {
		if s.Contains(addr) {
			return true
		}
	}
	return false
}

// InSegment reports whether addr is in a loaded segment of the binary, so that the memory there
// can be read.
func InSegment(addr uintptr) bool {
	all, _ := Segments()
	return inSpans(all, addr)
}

// Ends returns the lowest address of the binary, and the address after its highest.
func Ends() (low, high uintptr) {
	all, _ := Segments()
	for i, s := range all {
		if i == 0 {
			low = s.Start
		}
		low, high = min(low, s.Start), max(high, s.End)
	}
	return low, high
}

// inData reports whether addr is in the binary's writable data.
func inData(addr uintptr) bool {
	_, data := Segments()
	return inSpans(data, addr)
}

// VariableRanges returns the address ranges of the binary's variables with pointers.
// The runtime keeps the ends of all sections in consecutive words of initialized data;
// the function searches for these words. If it does not find them, it returns the
// writable segments.
func VariableRanges() []Range {
	_, data := Segments()
	initialized, zero := uintptr(unsafe.Pointer(&fixedPoint)), uintptr(unsafe.Pointer(&loadedRanges))
	for _, s := range data {
		for p := s.Start &^ (WordSize - 1); p+4*WordSize <= min(s.End, s.Start+MaxScan); p += WordSize {
			a := Range{WordAt(p), WordAt(p + WordSize)}
			if !a.Contains(initialized) || !s.Contains(a.Start) {
				continue
			}
			b := Range{WordAt(p + 2*WordSize), WordAt(p + 3*WordSize)}
			if b.Contains(zero) && a.End <= b.Start && b.End <= s.End {
				return []Range{a, b}
			}
		}
	}
	return data
}
