// Package check type-checks the files of a unit in the kernel's process. It
// rewrites errors of the type checker and the compiler: positions become positions in cells, and generated names become
// the names in the cell (wording.go).
package check
