package link

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// standardLoad returns a load in a process whose image has the given symbols. Its archives are those of the packages errors and strings.
func standardLoad(t *testing.T, symbols ...symindex.Symbol) *load {
	t.Helper()
	idx, err := symindex.Open(symindex.Encode(symbols, nil))
	if err != nil {
		t.Fatal(err)
	}
	l := &Linker{
		index: idx, archives: standard(t, "errors", "strings"), packages: map[string]*pkg{}, globals: map[symKey]uintptr{},
		stubs: map[string]*stub{}, vars: map[string]*variable{}, types: map[string]*typeRecord{},
	}
	main := &pkg{path: "main", defs: map[symKey]defRef{}}
	return &load{Linker: l, main: &object{pkg: main, isMain: true}, byDef: map[defRef]*node{}, byName: map[symKey]*node{}}
}

// TestResolveByName: a symbol of the image resolves to its address there, and another symbol of a package to one node.
func TestResolveByName(t *testing.T) {
	ld := standardLoad(t, symindex.Symbol{Name: "errors.Is", Text: true, ABI: goobj.ABIInternal, Addr: 0x401000})
	if got, err := ld.byReference("errors.Is", goobj.ABIInternal); err != nil || got != (target{addr: 0x401000}) {
		t.Errorf("errors.Is: %+v, %v", got, err)
	}
	first, err := ld.byReference("errors.Join", goobj.ABIInternal)
	if err != nil || first.node == nil || first.node.obj.pkg.path != "errors" {
		t.Fatalf("errors.Join: %+v, %v", first, err)
	}
	if again, err := ld.byReference("errors.Join", goobj.ABIInternal); err != nil || again != first {
		t.Errorf("a second reference: %+v, %v", again, err)
	}
	ld.globals[symKey{"strings.Clone", goobj.ABIInternal}] = 0x10000040
	if got, err := ld.byReference("strings.Clone", goobj.ABIInternal); err != nil || got.addr != 0x10000040 {
		t.Errorf("what an earlier cell loaded: %+v, %v", got, err)
	}
	ld.Linker.stubs["main.f"] = &stub{addr: 0x10000080}
	if got, err := ld.byReference("main.f", goobj.ABIInternal); err != nil || got.addr != 0x10000080 {
		t.Errorf("a notebook function: %+v, %v", got, err)
	}
}

// TestResolveReplacedPackage: a reference to a replaced package is not bound to the image.
func TestResolveReplacedPackage(t *testing.T) {
	ld := standardLoad(t, symindex.Symbol{Name: "errors.Join", Text: true, ABI: goobj.ABIInternal, Addr: 0x401000})
	ld.replacedPackages = []string{"errors"}
	if got, err := ld.byReference("errors.Join", goobj.ABIInternal); err != nil || got.node == nil {
		t.Errorf("%+v, %v, want the package's own", got, err)
	}
}

func TestResolveMisses(t *testing.T) {
	ld := standardLoad(t)
	for name, c := range map[string]struct {
		abi  uint16
		want string
	}{
		"errors.NoSuch":     {goobj.ABIInternal, "undefined: errors.NoSuch"},
		"example.com/x.F":   {goobj.ABIInternal, "undefined: example.com/x.F"},
		"errors.Join":       {goobj.ABI0, "undefined: errors.Join for ABI0 (but it is defined for ABIInternal)"},
		"main.declaredOnly": {goobj.ABIInternal, "the function declaredOnly is declared without a body, and no cell defines it"},
	} {
		if got, err := ld.byReference(name, c.abi); err == nil || err.Error() != c.want {
			t.Errorf("%s: %+v, %v, want %q", name, got, err, c.want)
		}
	}
	if err := checkNoC(&object{pkg: &pkg{path: "example.com/c"}}, "_cgo_1_f"); err == nil || !strings.Contains(err.Error(), "example.com/c") {
		t.Errorf("a C function: %v", err)
	}
}
