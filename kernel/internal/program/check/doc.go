// Package check type-checks the files of a unit in the kernel's process, and
// gives errors of the type checker and the compiler their places in cells and
// the cell's own words (wording.go).
package check
