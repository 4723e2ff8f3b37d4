// Package resolve finds what the names in the cells of a notebook mean, in a run of the notebook from its first to its last cell.
//
// In a notebook a name may be declared again, and functions always call the newest version of others. A Book is made by these steps, each in a
// file of its name:
//
//   - cells: parse the cells, and find the headings above them
//   - book: what each name means after each cell
//   - refusals: what no program can reproduce, as errors with their cells and lines
//   - classes: which meanings of types and constants differ between cells
//   - infer: the types of variables, so that a variable that is declared again with its type stays one variable
//   - functions: the versions of functions, since a change of a constant or type also changes the code that uses it
//   - reach: which versions are used, and when
//
// Package translate writes the program.
package resolve
