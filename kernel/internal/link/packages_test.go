package link

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// TestPreferredDefinition: preferred returns the definition in the package, or the given definition if the package does
// not define the symbol.
func TestPreferredDefinition(t *testing.T) {
	ld := standardLoad(t)
	p, err := ld.openPackage("strings")
	if err != nil {
		t.Fatal(err)
	}
	d, found := preferred(defRef{}, false, p, "strings.Clone", goobj.ABIInternal)
	if !found || d.obj.pkg != p {
		t.Fatalf("strings.Clone: %+v, %v", d, found)
	}
	if _, found := preferred(defRef{}, false, p, "strings.NoSuch", goobj.ABIInternal); found {
		t.Error("a function is found that does not exist")
	}
	q, err := ld.openPackage("errors")
	if err != nil {
		t.Fatal(err)
	}
	if best, found := preferred(d, true, q, "strings.Clone", goobj.ABIInternal); !found || best != d {
		t.Errorf("a package that lacks the symbol changes the choice: %+v", best)
	}
}
