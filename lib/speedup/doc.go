// Package speedup measures how much faster work gets with more workers.
//
//	res, err := speedup.Measure(ctx, speedup.Options{Workers: []int{1, 2, 4}},
//		speedup.Case{Name: "goroutines", Run: func(workers int) error { … }})
//	fmt.Print(res) // a table; in a notebook, res as last expression
//
// Package chart, below this one, draws the result.
//
// A case does the same total work with any number of workers. All cases and
// worker counts run once per round, in random order, between two runs of the
// same serial baseline: what disturbs the machine for a while then touches all
// of them, instead of making one look slow. A round's speedup is the mean of
// its two baselines divided by the time. The result holds the medians over the
// rounds with their 95 % intervals. No round is dropped. The notes below a result
// tell how many rounds were disturbed: by other programs, or by something that
// made the two baselines differ.
package speedup
