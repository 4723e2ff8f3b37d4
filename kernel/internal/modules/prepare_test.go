package modules

import (
	"fmt"
	"slices"
	"testing"
)

func TestCompileMonitor(t *testing.T) {
	var reports []string
	m := &compileMonitor{started: map[string]bool{}, progress: func(p CompileProgress) {
		reports = append(reports, fmt.Sprintf("%s%s %d/%d", p.Message, p.Package, p.Started, p.Total))
	}}
	write := func(text string) {
		if n, err := m.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("wrote %d of %q, error %v", n, text, err)
		}
	}
	write("go: downloading example.com/a v1.0.0\n")
	write("example.com/a\nexample.com/")
	write("b\n")
	m.count([]string{"example.com/a", "example.com/b", "example.com/c", "example.com/d"}, []string{"example.com/c"})
	write("# a message of the compiler\n") // does not name a package
	write("example.com/c\n")
	write("example.com/d\n") // was not stale when it was counted
	m.end()
	write("example.com/e\n")
	want := []string{"downloading example.com/a v1.0.0 0/0", "example.com/a 1/0", "example.com/b 2/0", "example.com/b 2/3", "example.com/c 3/3", "example.com/d 4/4"}
	if !slices.Equal(reports, want) {
		t.Errorf("reports %q, want %q", reports, want)
	}
}

// TestCompileMonitorWithoutCount: if stale packages could not be listed, the number of packages
// stays unknown.
func TestCompileMonitorWithoutCount(t *testing.T) {
	var last CompileProgress
	m := &compileMonitor{started: map[string]bool{}, progress: func(p CompileProgress) { last = p }}
	m.count(nil, nil)
	if _, err := m.Write([]byte("example.com/a\n")); err != nil || last != (CompileProgress{Package: "example.com/a", Started: 1}) {
		t.Errorf("reported %+v, error %v", last, err)
	}
}
