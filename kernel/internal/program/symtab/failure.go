package symtab

import "fmt"

// A Failure says why a package is not initialized.
type Failure struct {
	Package string // the package whose initialization failed: the package itself or one that it needs
	Reason  string // the reason, such as "panicked in Cell [2]: …"
}

// Describe returns the end of an error text that begins with "package … is not initialized: ".
func (f Failure) Describe(path string) string {
	which := "its initialization"
	if f.Package != path {
		which = "the initialization of package " + f.Package + ", which it needs,"
	}
	return fmt.Sprintf("%s %s; import %q again to repeat it", which, f.Reason, path)
}

// Uninitialized holds the packages that the worker process could not initialize. A cell that uses such a package is
// refused until a cell imports the package again.
type Uninitialized struct {
	Failures map[string]Failure // by the import path of the package that is not initialized
	Retry    map[string]bool    // packages that a cell has imported again since the failure
}
