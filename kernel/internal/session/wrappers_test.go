package session

import (
	"testing"
)

// TestWrappersOfUnnamedTypes: code that takes a method value of an unnamed type is inlined into another package and
// into cells. Only the package that contains this code has the method's wrapper.
func TestWrappersOfUnnamedTypes(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/wrapped

go 1.26
-- notebooks/x.txt --
-- from/from.go --
package from

type Base struct{ N int }

func (b *Base) Handle(n int) int { b.N += n; return b.N }

func Value(x any) func(int) int {
	if h, ok := x.(interface{ Handle(int) int }); ok {
		return h.Handle
	}
	return nil
}

func Embedded(b *Base) func(int) int {
	s := struct{ *Base }{b}
	return s.Handle
}
-- to/to.go --
package to

import "example.com/wrapped/from"

func Twice(b *from.Base) int {
	f, g := from.Value(b), from.Embedded(b)
	return f(2) + g(3)
}
`)
	for _, test := range []struct{ code, want string }{
		{"import (\n\t\"example.com/wrapped/from\"\n\t\"example.com/wrapped/to\"\n)\nto.Twice(new(from.Base))", "[result text/plain]\n7\n"},
		{"import \"example.com/wrapped/from\"\nfrom.Value(&from.Base{N: 1})(4), from.Embedded(&from.Base{N: 2})(4)", "[result text/plain]\n5\n6\n"},
	} {
		if got := show(t, s, test.code); got != test.want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", test.code, got, test.want)
		}
	}
}
