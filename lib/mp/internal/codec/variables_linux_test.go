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

func binaryData() []program.Range {
	_, data := program.Segments()
	return data
}
