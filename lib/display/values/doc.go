// Package values renders any Go value within bounds: as one line, as text of at
// most a screen, and as HTML whose parts fold.
//
// A value with a method Error, String or Format is rendered by that method, a value
// with only MarshalText by MarshalText. The form of any other value depends on its kind:
//
//   - A slice of structs is a table with one column for each field, a map a table
//     with two columns, a slice of slices a grid.
//   - Other slices, structs and pointers are one line if they fit on it, otherwise
//     an indented tree. Pointers are followed. A pointer to a value that contains
//     it is marked as a cycle.
//
// A long value shows its first and last parts, and a line with its type and length.
// Floating-point numbers in a composite value have 6 significant digits.
//
// Time and output are bounded for every value, because parts that are not shown are
// not visited. The exception is a method of the value that does not return.
package values
