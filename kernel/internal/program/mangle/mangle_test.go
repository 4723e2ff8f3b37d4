package mangle

import "testing"

func TestNames(t *testing.T) {
	for _, test := range []struct{ name, asVar, asFunc string }{
		{"x", "x", "x"}, {"main", "mainʹ", "main"}, {"init", "initʹ", "init"}, {"len", "lenʹ", "lenʹ"}, {"any", "anyʹ", "anyʹ"},
	} {
		if v, f := Name(test.name), Func(test.name); v != test.asVar || f != test.asFunc {
			t.Errorf("%s: %s, as a function %s", test.name, v, f)
		}
		if got := Demangle(Name(test.name)); got != test.name {
			t.Errorf("%s comes back as %s", test.name, got)
		}
	}
}

func TestDemangle(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "xʹ2 := kʹ0_1(lenʹ)": "x := k_1(len)", "main.stepʹ12.func1": "main.step.func1", "vʹZ": "vZ", "ʹ": "",
	} {
		if got := Demangle(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
