// Package values renders any Go value within bounds: as one line, as text of at
// most a screen, and as HTML that folds.
//
// A value with a method Error, String or Format is rendered by that method, one
// with MarshalText alone by that. Else its kind decides:
//
//   - Slices of structs are tables with one column for each field, maps tables
//     with two columns, slices of slices grids.
//   - Other slices, structs and pointers are one line if that is enough, else an
//     indented tree. Pointers are followed; one that leads back to what it is
//     in is marked as a cycle.
//
// Long values show their first and last parts, and a line with type and length.
// Floating-point numbers in a composite value have 6 significant digits.
//
// Time and output are bounded whatever the value holds: what is not shown is not
// visited. Methods that do not return are the exception.
package values
