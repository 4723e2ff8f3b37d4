// Package check type-checks the files of a unit in the kernel's process. It
// translates errors of the type checker and the compiler: their positions to positions in
// cells, and generated names to those of the cell (wording.go).
package check
