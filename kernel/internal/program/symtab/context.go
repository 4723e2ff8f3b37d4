package symtab

import (
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// ContextName is the name by which a cell refers to its context, unless the
// notebook declares it. ContextFunc is the function of generated code that
// returns the context.
const (
	ContextName = "ctx"
	ContextFunc = ContextName + mangle.Mark
)

// OutName is the name by which a cell refers to a value that an earlier cell has shown, as in Out[3] for cell 3.
// InName is the name by which it refers to the text of a cell, as in In[3]. EarlierFunc is the function of generated
// code that returns the value that an earlier cell has shown.
const (
	OutName     = "Out"
	InName      = "In"
	EarlierFunc = "earlier" + mangle.Mark
)

// A Result is the type of the value that a cell has shown.
type Result struct {
	Type        *typetext.Text // nil if the type cannot be written as source text
	IsInterface bool
}

// Needs returns the names of the notebook that ref needs, if b is the binding of its name.
func (b Binding) Needs(ref cell.Ref) []string {
	switch {
	case ref.Top:
	case b.Kind == InNotebook:
		return []string{ref.Name}
	case b.Kind == EarlierResult && b.Result.Type != nil:
		return b.Result.Type.Names
	}
	return nil
}

// Provided returns the binding of a name that cells have without a declaration: ctx, Out[n] or In[n].
func (t *Table) Provided(name string) (Binding, bool) {
	if name == ContextName {
		return Binding{Kind: CellContext}, true
	}
	what, number, ok := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if !ok || t.Names[what] != nil {
		return Binding{}, false
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return Binding{}, false
	}
	switch what {
	case OutName:
		if r, ok := t.Results[n]; ok {
			return Binding{Kind: EarlierResult, Path: number, Result: r}, true
		}
	case InName:
		if o := t.Cells[n]; o != nil {
			return Binding{Kind: EarlierInput, Path: strconv.Quote(o.Source)}, true
		}
	}
	return Binding{}, false
}
