// Package symtab is the symbol table of a notebook: what its names mean
// (symbol.go), which of them are live (table.go), and what a cell changes once
// the worker has loaded it (changes.go).
package symtab
