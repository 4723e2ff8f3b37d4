// Package translate writes the cells of a notebook as the Go files of a program: the program prints what a run of the
// notebook from its first to its last cell prints.
//
// Package resolve finds what the names in the cells mean, and which versions of declarations are used. Program then goes through these steps,
// each in a file of its name:
//
//   - directives: the code for directives
//   - names: the names in the program, and which variables are local
//   - emit: the source of the program, with the declarations; the file statements writes the statements of cells
//   - check: the types of the source, which is written again if the check finds facts that change it
//
// Code that no program can reproduce is an error with its cell and line.
package translate
