// Package symtab is the symbol table of a notebook: the meanings of names
// (symbol.go), the table of live symbols (table.go), and the changes of a cell to
// it, which are applied when the worker process has loaded the cell (changes.go).
package symtab
