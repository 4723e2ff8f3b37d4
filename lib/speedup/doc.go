// Package speedup measures how much faster work gets with more workers, and
// says so honestly.
//
//	res, err := speedup.Measure(ctx, speedup.Options{Workers: []int{1, 2, 4}},
//		speedup.Case{Name: "goroutines", Run: func(workers int) error { … }})
//	fmt.Print(res)         // a table; in a notebook, res as last expression
//	display.Show(res.Chart())
//
// A case does the same total work with any number of workers. All cases and
// worker counts run once per round, in random order, between two runs of the
// same serial baseline: what disturbs the machine for a while then touches all
// of them, instead of making one look slow. A round's speedup is the mean of
// its two baselines divided by the time; shown is the median over the rounds
// with a 95 % interval. No round is dropped. Rounds during which other programs
// were busy, or whose baselines differ, are counted as disturbed and said so.
package speedup
