package memorylimit

import (
	"strings"
	"testing"
)

// TestSetBelowUse checks that Set refuses a limit below the memory that the process has allocated, and changes nothing.
func TestSetBelowUse(t *testing.T) {
	if n := dataSize(); n <= 0 {
		t.Fatalf("the process has allocated %d bytes", n)
	}
	var m Limit
	if err := m.Set(1); err == nil || !strings.Contains(err.Error(), "has already allocated ") {
		t.Errorf("a limit of 1 byte: %v", err)
	}
	if args := m.Args(); args != nil {
		t.Errorf("a child gets %v", args)
	}
}
