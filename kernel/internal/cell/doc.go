// Package cell reads the text of a notebook cell: any mix of imports,
// declarations, statements and directives, in any order.
//
// Split finds the top-level pieces, Parse reads them as Go, IsComplete answers
// consoles. The package is pure: it runs nothing and touches no file.
package cell
