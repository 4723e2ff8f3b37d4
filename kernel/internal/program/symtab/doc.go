// Package symtab is the symbol table of a notebook: the meanings of names (symbol.go), the table of live symbols
// (table.go), and the changes that a cell makes to the table (changes.go). The changes are applied when the worker
// process has loaded the cell.
package symtab
