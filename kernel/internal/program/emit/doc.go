// Package emit writes the Go files of a unit, with line directives that give
// each piece its place in its cell.
package emit
