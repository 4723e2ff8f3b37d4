// Package export writes a notebook as a Go program: a module whose program prints what a run of the notebook from its first to its last
// cell prints. Package translate writes the Go files, and package gomodule the rest of the module.
package export
