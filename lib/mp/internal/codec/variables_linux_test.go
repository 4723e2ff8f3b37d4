package codec

import (
	"testing"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// BenchmarkRecordVariables measures the search for errors in package variables when a
// process starts.
func BenchmarkRecordVariables(b *testing.B) {
	for b.Loop() {
		for _, s := range program.VariableRanges() {
			RecordRange(s)
		}
	}
}

// TestVariableRanges checks that the ranges are those of the sections, not of whole
// segments.
func TestVariableRanges(t *testing.T) {
	if dataSegment := binaryData(); len(dataSegment) > 0 && len(program.VariableRanges()) != 2 {
		t.Errorf("the sections were not found in %x", dataSegment)
	}
}

// TestHeapBesideTheBinary checks that errors in variables are found where the heap is next to the binary.
func TestHeapBesideTheBinary(t *testing.T) {
	found := func(heap uintptr) int {
		v := &errorVariables
		v.mu.Lock()
		defer v.mu.Unlock()
		errors, pointers := v.errors, v.pointers
		defer func() { v.errors, v.pointers = errors, pointers }()
		v.errors, v.pointers = nil, nil
		for _, r := range program.VariableRanges() {
			scanVariables(r.Start, r.End, heap)
		}
		return len(v.errors)
	}
	low, _ := program.Ends()
	want := found(addressOfHeap())
	if got := found(low - heapSize/2); want == 0 || got != want {
		t.Errorf("%d errors were found with the heap next to the binary, %d where it is", got, want)
	}
}

func binaryData() []program.Range {
	_, data := program.Segments()
	return data
}
