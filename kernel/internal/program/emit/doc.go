// Package emit writes the Go files of a unit, with line directives that map
// each part to its position in its cell.
package emit
