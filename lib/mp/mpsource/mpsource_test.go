package mpsource

import "testing"

// TestDifference checks that a difference of the whole program is named if all declarations are
// the same.
func TestDifference(t *testing.T) {
	p := Program{Go: "go1.26.8", Library: "1", Layout: "64 bits, little endian", Declarations: []Declaration{{Name: "f", Kind: "function", Hash: "1", Offered: true}}}
	f := NewTable(p).Function("f")
	for want, change := range map[string]func(p *Program){
		"": func(*Program) {},
		"it was built with go1.27.0, not with go1.26.8":                                                    func(p *Program) { p.Go = "go1.27.0" },
		"its processor stores numbers in another form: 32 bits, little endian, not 64 bits, little endian": func(p *Program) { p.Layout = "32 bits, little endian" },
		"it was built with another version of perijove":                                                    func(p *Program) { p.Library = "2" },
		"it does not have the function f":                                                                  func(p *Program) { p.Declarations = nil },
	} {
		other := p
		change(&other)
		table := NewTable(other)
		if got := f.Difference(table); got != want || table.Offers(f) != (want == "") {
			t.Errorf("the difference is %q, want %q; the function is offered: %v", got, want, table.Offers(f))
		}
	}
	var none *Table
	if none.Function("f") != nil || none.BySymbol("main.f") != nil {
		t.Error("a nil Table has functions")
	}
}

// TestUnknown checks that a function that reaches an unknown declaration equals no function,
// not even itself.
func TestUnknown(t *testing.T) {
	table := NewTable(Program{Declarations: []Declaration{{Name: "f", Kind: "function", Hash: "1", Uses: []string{"g"}, Offered: true}}})
	f := table.BySymbol("main.f")
	if got, want := f.Difference(table), "g, which f uses, is not a declaration of this program"; got != want || table.Offers(f) {
		t.Errorf("the difference is %q, want %q", got, want)
	}
}
