package stopwatch_test

import (
	"fmt"

	"github.com/perijove/perijove/lib/stopwatch"
)

func ExampleStart() {
	w := stopwatch.Start()
	sum := 0
	for i := range 1_000_000 {
		sum += i
	}
	fmt.Println(sum)
	w.Print() // CPU times: user 310 µs, sys: 0 ns, total: 310 µs …
}

func ExampleRepeat() {
	text := "abc"
	for n := range stopwatch.Repeat(0, 0) {
		for range n {
			_ = text + text
		}
	}
	// prints a line such as
	// 5.33 ns ± 0.102 ns per loop (mean ± std. dev. of 7 runs, 50,000,000 loops each)
}
