package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
)

// ownCell runs source that the kernel generates, with the notebook's declarations in scope.
// The names of its imports contain ʹ, the mark of package mangle, so that they never clash with names of the notebook.
func (r *run) ownCell(source string) error {
	c, errs := cell.Parse(0, source)
	if errs != nil {
		return errs
	}
	if err := r.load(c, false, func(*program.Unit, *output.Error) {}); err != nil {
		return err
	}
	return nil
}

// dropResults makes Out forget the results of earlier cells, so that their memory can be freed.
func (r *run) dropResults() error {
	if r.liveWorker() == nil {
		return nil
	}
	return r.ownCell("import cellruntimeʹo \"github.com/perijove/perijove/kernel/internal/cellruntime\"\ncellruntimeʹo.DropEarlier()")
}

// whoDirective lists the names of the variables.
func (r *run) whoDirective(d cell.DirectiveLine) error {
	list, err := r.variables(d.Args)
	if err != nil {
		return err
	}
	var names []string
	for _, v := range list {
		names = append(names, v.Name)
	}
	if len(names) == 0 {
		r.print("the notebook has no variables\n")
		return nil
	}
	r.print("%s\n", strings.Join(names, "  "))
	return nil
}

// whosDirective shows the variables with types, sizes and values.
func (r *run) whosDirective(d cell.DirectiveLine) error {
	list, err := r.variables(d.Args)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		r.print("the notebook has no variables\n")
		return nil
	}
	if r.session.isStandalone() {
		return fmt.Errorf("there are no values to show: each cell runs as a separate program, and the cell's variables end with the program")
	}
	var b strings.Builder
	b.WriteString("import valuesʹw \"github.com/perijove/perijove/lib/display/values\"\nvaluesʹw.Variables(")
	for _, v := range list {
		fmt.Fprintf(&b, "valuesʹw.Variable{%q, %q, &%s},", v.Name, v.Type, v.Name)
	}
	b.WriteString(")")
	return r.ownCell(b.String())
}

// variables lists the notebook's variables, sorted by name: the ones that args names, or all if args is empty.
func (r *run) variables(args string) ([]program.Variable, error) {
	list := r.session.program.Load().Variables()
	only := strings.Fields(strings.ReplaceAll(args, ",", " "))
	if len(only) > 0 {
		for _, name := range only {
			if !slices.ContainsFunc(list, func(v program.Variable) bool { return v.Name == name }) {
				return nil, fmt.Errorf("%s is not a variable of this notebook", name)
			}
		}
		list = slices.DeleteFunc(list, func(v program.Variable) bool { return !slices.Contains(only, v.Name) })
	}
	slices.SortFunc(list, func(a, b program.Variable) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// goroutinesDirective lists the goroutines of cells.
func (r *run) goroutinesDirective(cell.DirectiveLine) error {
	if r.session.isStandalone() {
		return errors.New("there are no goroutines to list: each cell runs as a separate program, and the cell's goroutines end with the program")
	}
	w := r.liveWorker()
	if w == nil {
		r.print("no goroutine of a cell runs\n")
		return nil
	}
	list, count, err := w.ListGoroutines(r.ctx)
	if err != nil {
		return err
	}
	text, page := r.session.style().Goroutines(list, count)
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": text, "text/html": page}})
	return nil
}
