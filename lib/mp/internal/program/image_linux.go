package program

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
)

// A span is a range of addresses from start to before end.
type span struct{ start, end uintptr }

// imageSpans returns the parts of this process's memory that are mapped privately from
// files: those of the binary. They do not change while it runs.
var imageSpans = sync.OnceValue(func() []span {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var spans []span
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		var sp span
		if len(fields) < 6 || !strings.HasPrefix(fields[5], "/") || !strings.HasSuffix(fields[1], "p") {
			continue // skip shared memory: it may lie in the heap, where addresses are reused
		}
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &sp.start, &sp.end); err == nil {
			spans = append(spans, sp)
		}
	}
	return spans
})

// InImage reports whether addr is in the binary. A func value that captures nothing is
// in the binary; one that captures variables is in allocated memory.
func InImage(addr uintptr) bool {
	for _, s := range imageSpans() {
		if s.start <= addr && addr < s.end {
			return true
		}
	}
	return false
}
