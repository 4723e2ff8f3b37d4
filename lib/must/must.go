// Package must turns errors into panics. It is for notebook cells and short programs
// that end with the first error:
//
//	pool := must.Get(mp.NewPool(mp.Processes, mp.Workers(4)))
//	must.Do(process.Join(ctx))
//
// In a notebook, the panic ends the cell, and the notebook shows its line. A function
// that other code calls should return its error instead.
package must

// Get returns v, or panics with err if it is not nil.
func Get[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Get2 is like [Get] for functions that return two values and an error.
func Get2[T, U any](v T, u U, err error) (T, U) {
	if err != nil {
		panic(err)
	}
	return v, u
}

// Do panics with the first of errs that is not nil.
func Do(errs ...error) {
	for _, err := range errs {
		if err != nil {
			panic(err)
		}
	}
}
