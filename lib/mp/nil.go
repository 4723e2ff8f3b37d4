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
