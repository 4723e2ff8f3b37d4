package session

import (
	"strings"
	"testing"
)

// TestAsm checks that the assembly of a method is listed below the lines of its cell.
func TestAsm(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "type vector []int\n\nfunc (v vector) sum() (total int) {\n\tfor _, x := range v {\n\t\ttotal += x\n\t}\n\treturn total\n}")
	got := execute(t, s, "%asm vector.sum")
	for _, want := range []string{"vector.sum: ", " bytes, stack frame of ", "Cell [1] line 4: for _, x := range v {\n    0", "Cell [1] line 5: total += x\n    0", "  RET"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "PCDATA") {
		t.Errorf("the listing has tables:\n%s", got)
	}
}
