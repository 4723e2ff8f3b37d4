package widget_test

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/widget"
)

// Without a notebook, controls keep their values, and their text forms are printed.
func Example() {
	n := widget.NewIntSlider("workers", 1, 8, 2)
	n.OnChange(func(n int) { fmt.Println("now", n) })
	if err := widget.Interact(func() any { return fmt.Sprintf("%d squared is %d", n.Value(), n.Value()*n.Value()) }, n); err != nil {
		fmt.Println(err)
	}
	// Output:
	// workers: 2
	// "2 squared is 4"
}

func ExampleIntProgress() {
	bar := widget.NewIntProgress("files", 3)
	for range 3 {
		bar.Add(1)
	}
	if err := display.Show(bar); err != nil {
		fmt.Println(err)
	}
	// Output: files 3 of 3
}

// The type of a parameter and its option determine its control.
func ExampleInteract() {
	repeat := func(word string, times int) string { return strings.Repeat(word, times) }
	if err := widget.Interact(repeat, widget.Start("word", "go"), widget.Range("times", 2, 5)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// word: go
	// times: 2
	// "gogo"
}

// Linked controls have the same value. A value that a control does not allow is an error.
func ExampleLink() {
	slider, field := widget.NewIntSlider("n", 0, 10, 3), widget.NewIntText("n", 0)
	if err := widget.Link(slider, field); err != nil {
		fmt.Println(err)
	}
	fmt.Println(field.Value())
	fmt.Println(slider.SetValue(11))
	// Output:
	// 3
	// widget: cannot set the value of intslider "n": the value 11 is not between the control's limits 0 and 10
}
