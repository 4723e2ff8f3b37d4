// Package speedup measures the speedup of parallel work: how many times faster it is
// with several workers than without.
//
//	res, err := speedup.Measure(ctx, speedup.Options{Workers: []int{1, 2, 4}},
//		speedup.Case{Name: "goroutines", Run: func(workers int) error { … }})
//	fmt.Print(res) // a table; in a notebook, res as last expression
//
// Package speedup/chart draws the result.
//
// A case does the same total work with any number of workers. Each round runs all
// cases with all worker counts once, in random order, between two runs of the serial
// baseline. So a disturbance of the machine affects all cases, not only one of them.
// The speedup in a round is the mean of its two baseline times divided by the time of
// the case. The result holds the medians over the rounds with their 95 % intervals.
// No round is dropped. The notes below a result tell how many rounds were disturbed. In a
// disturbed round other programs used the cores, or the two baseline times differ.
package speedup
