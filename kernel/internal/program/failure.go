package program

// A Failure says why a package is not initialized.
type Failure struct {
	Package string // whose initialization failed: the package itself or one that it needs
	Reason  string // "panicked in Cell [2]: …"
}

// uninitialized are the packages of a Program that the worker could not initialize. What refers to one is refused until
// a cell imports it again.
type uninitialized struct {
	packages map[string]Failure // by import path
	retry    map[string]bool    // those that a cell has imported since
}
