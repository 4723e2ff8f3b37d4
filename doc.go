// Package perijove is the root of a Jupyter kernel for Go that compiles each
// cell with the user's own compiler and links it into a running process.
//
// The kernel is in kernel/. The library, which notebook cells and any Go program
// can import, is in lib/.
package perijove
