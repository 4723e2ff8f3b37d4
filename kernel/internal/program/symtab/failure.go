package symtab

import "fmt"

// A Failure says why a package is not initialized.
type Failure struct {
	Package string // whose initialization failed: the package itself or one that it needs
	Reason  string // "panicked in Cell [2]: …"
}

// Describe returns what follows "package … is not initialized: ".
func (f Failure) Describe(path string) string {
	which := "its initialization"
	if f.Package != path {
		which = "that of package " + f.Package + ", which it needs,"
	}
	return fmt.Sprintf("%s %s; import %q tries again", which, f.Reason, path)
}

// Uninitialized are the packages of a Program that the worker could not initialize. What refers to one is refused until
// a cell imports it again.
type Uninitialized struct {
	Failures map[string]Failure // by import path
	Retry    map[string]bool    // those that a cell has imported since
}
