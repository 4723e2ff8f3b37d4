// Package definers finds the packages that define a symbol.
//
// The package at the beginning of a symbol's name does not always define the symbol: a
// //go:linkname line or an assembly file of another package may define it, or
// another package may contain the instance of generic code. Objects list all such symbols as
// belonging to no package. An Index of these symbols finds the packages that define a name.
package definers
