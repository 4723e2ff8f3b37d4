package procfs

import (
	"fmt"
	"math"
	"testing"
	"testing/fstest"
	"time"
)

func TestForeignCores(t *testing.T) {
	at := time.Unix(1, 0)
	load := func(after time.Duration, busy, own int) Load {
		return readLoad(fstest.MapFS{
			"proc/stat":    {Data: fmt.Appendf(nil, "cpu %d 0 0 5 5 0 0 0 0 0\n", busy)},
			"proc/50/stat": stat(50, "self", 1, own),
			"proc/51/stat": stat(51, "child", 50, 0),
			"proc/60/stat": stat(60, "stranger", 1, busy),
		}, 50, at.Add(after))
	}
	start := load(0, 1000, 100)
	for _, tt := range []struct {
		end  Load
		want float64
	}{
		{load(2*time.Second, 1350, 250), 1},
		{load(time.Second, 1001, 200), 0}, // rounding of ticks
		{load(0, 1350, 250), math.NaN()},
		{Load{}, math.NaN()},
	} {
		if got := ForeignCores(start, tt.end); got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("to %+v: %v cores, want %v", tt.end, got, tt.want)
		}
	}
	if got := ForeignCores(readLoad(fstest.MapFS{}, 50, at), start); !math.IsNaN(got) {
		t.Errorf("from a load that cannot be read: %v cores", got)
	}
}
