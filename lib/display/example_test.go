package display_test

import (
	"fmt"

	"github.com/perijove/perijove/lib/display"
)

type sphere struct{ Radius float64 }

func (s sphere) String() string   { return fmt.Sprintf("a sphere of radius %g", s.Radius) }
func (s sphere) Markdown() string { return fmt.Sprintf("a sphere, *r* = **%g**", s.Radius) }

// A type decides how its values look. In a notebook this shows the Markdown form.
func Example() {
	display.Show(sphere{2})
	// Output: a sphere of radius 2
}

// Without a notebook, the text of the fragment is printed.
func ExampleHTML() {
	display.HTML("<h3>Result</h3> x &lt; <b>3</b>")
	// Output:
	// Result
	//  x < 3
}

// A Handle replaces one Progress by the next; without a notebook, each is printed.
func ExampleProgress() {
	var h display.Handle
	for i := range 3 {
		h.Show(display.Progress{Done: i + 1, Total: 3, Note: "rounds"})
	}
	// Output:
	// [##########....................] 1 of 3  rounds
	// [####################..........] 2 of 3  rounds
	// [##############################] 3 of 3  rounds
}
