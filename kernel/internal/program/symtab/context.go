package symtab

import "github.com/perijove/perijove/kernel/internal/program/mangle"

// ContextName is the name by which a cell refers to its context, unless the
// notebook declares it. ContextFunc is the function of generated code that
// returns the context.
const (
	ContextName = "ctx"
	ContextFunc = ContextName + mangle.Mark
)
