// Package definers finds the packages that define a symbol.
//
// A symbol that objects refer to by name need not be defined by the package
// that its name begins with: a linkname gives it to another one, assembly
// defines it, or another package made the instance of generic code that this
// one uses. All such symbols are among those that objects list as belonging to
// no package. Where a name leads to nothing, an index of these tells the
// packages that define it.
package definers
