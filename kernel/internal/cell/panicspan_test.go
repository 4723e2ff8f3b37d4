package cell

import "testing"

func TestPanicSpan(t *testing.T) {
	src := "import \"fmt\"\nxs := []int{1}\ny := 0\nfmt.Println(xs[5], 1)\nfunc f() int {\n\treturn 1 + 7/y\n}\nxs[1] = xs[2]\np.x = 3\ns := xs[1:9]\nv.(int)"
	const index, zero, null = "runtime error: index out of range [5] with length 1", "runtime error: integer divide by zero", "runtime error: invalid memory address or nil pointer dereference"
	for _, test := range []struct {
		line       int
		text, want string
	}{
		{4, index, "xs[5]"}, {6, zero, "7/y"}, {8, index, ""}, {9, null, "p.x"}, {4, null, ""}, {4, "oh", ""}, {2, index, ""},
		{10, "runtime error: slice bounds out of range [:9] with capacity 1", "xs[1:9]"}, {11, "interface conversion: interface {} is string, not int", "v.(int)"}, {99, index, ""},
	} {
		start, end, ok := PanicSpan(src, test.line, test.text)
		got := ""
		if ok {
			got = Line(src, test.line)[start:end]
		}
		if got != test.want {
			t.Errorf("line %d, %s: %q, want %q", test.line, test.text, got, test.want)
		}
	}
}
