package widget_test

import (
	"fmt"

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
