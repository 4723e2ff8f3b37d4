package mp

import "fmt"

// nilError is the error of a method of a nil pointer to what. In a child that is,
// as a rule, a package variable that its parent has set.
//
//go:noinline
func nilError(what string) error {
	return fmt.Errorf("mp: the %s is nil; in a child process package variables are as they were declared, "+
		"not as the parent has set them: make the %s there, or pass what the function needs as its argument", what, what)
}

// panicNil panics with the nilError of a method that has no error to return.
//
//go:noinline
func panicNil(what string) { panic(nilError(what)) }

// notMade is the error of a method of a zero value that cannot work: maker returns
// those that can.
//
//go:noinline
func notMade(what, maker string) error {
	return fmt.Errorf("mp: the %s was not made by %s", what, maker)
}
