package mp

import "testing"

// What a process pays at its start for finding errors in package variables.
func BenchmarkRecordVariables(b *testing.B) {
	for b.Loop() {
		for _, s := range variableRanges() {
			RecordVariables(s)
		}
	}
}

// The ranges are those of the sections, not whole segments.
func TestVariableRanges(t *testing.T) {
	if dataSegment := binaryData(); len(dataSegment) > 0 && len(variableRanges()) != 2 {
		t.Errorf("the sections were not found in %x", dataSegment)
	}
}

func binaryData() []Range {
	_, data := binarySegments()
	return data
}
