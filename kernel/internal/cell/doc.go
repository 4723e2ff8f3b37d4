// Package cell reads the text of a notebook cell: any mix of imports,
// declarations, statements and directives, in any order.
//
// Split finds the top-level pieces, Parse parses them as Go, and IsComplete tells a
// console whether a text is complete. The functions have no side effects and may be called
// concurrently.
package cell
