// Package translate writes the cells of a notebook as the Go files of a program: the program prints what a run of the
// notebook from its first to its last cell prints.
//
// In a notebook a name may be declared again, and functions always call the newest
// version of others. Program goes through these steps, each in a file of its name:
//
//   - cells: parse the cells, and find the headings above them
//   - book: what each name means after each cell
//   - classes: which meanings of types and constants differ between cells
//   - infer: the types of variables, so that a variable that is declared again with its type stays one variable
//   - functions: the versions of functions, since a change of a constant or type also changes the code that uses it
//   - reach: which versions are used, and when
//   - names: the names in the program, and which variables are local
//   - emit: the source, which is type-checked, and written again if the check finds facts that change it
//
// Code that no program can reproduce is an error with its cell and line.
package translate
