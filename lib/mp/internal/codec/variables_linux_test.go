package codec

import (
	"testing"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// What a process pays at its start for finding errors in package variables.
func BenchmarkRecordVariables(b *testing.B) {
	for b.Loop() {
		for _, s := range program.VariableRanges() {
			RecordRange(s)
		}
	}
}

// The ranges are those of the sections, not whole segments.
func TestVariableRanges(t *testing.T) {
	if dataSegment := binaryData(); len(dataSegment) > 0 && len(program.VariableRanges()) != 2 {
		t.Errorf("the sections were not found in %x", dataSegment)
	}
}

func binaryData() []program.Range {
	_, data := program.Segments()
	return data
}
