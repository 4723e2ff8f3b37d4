package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program"
)

// listDirective shows the notebook's declarations: those that the arguments name, or all.
func (r *run) listDirective(d cell.DirectiveLine) error {
	list := r.session.program.Load().Declarations()
	only := strings.Fields(strings.ReplaceAll(d.Args, ",", " "))
	if len(list) == 0 && len(only) == 0 {
		r.print("nothing is declared yet\n")
	}
	found := map[string]bool{}
	for _, d := range list {
		typeName, _, _ := strings.Cut(d.Name, ".") // of a method
		if len(only) > 0 && !slices.Contains(only, d.Name) && !slices.Contains(only, typeName) {
			continue
		}
		found[d.Name] = true
		where := ""
		if d.Cell > 0 {
			where = "  " + cell.Name(d.Cell)
		}
		if d.Aside != "" {
			where += "  (set aside: " + d.Aside + ")"
		}
		r.print("%-6s %-20s %s%s\n", d.Kind, d.Name, d.Type, where)
	}
	if len(only) == 0 {
		old, err := r.listDropped()
		if err != nil {
			return err
		}
		for _, line := range old {
			r.print("%s\n", line)
		}
	}
	for _, name := range only {
		if !found[name] {
			return fmt.Errorf("%s is not declared in this notebook", name)
		}
	}
	return nil
}

// sendDropped tells the worker which variables no name of the notebook refers to any more.
// The worker frees their values unless something still uses them.
func (s *Session) sendDropped(w *worker, program *program.Program) {
	list := program.Dropped()
	if slices.Equal(list, w.dropped) {
		return
	}
	if w.Drop(list) == nil {
		w.dropped = list
	}
}

// liveWorker returns the worker that holds the notebook's state, or nil.
func (r *run) liveWorker() *worker {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	if w := r.session.worker; w != nil && !w.IsDead() && !r.session.isStandalone() {
		return w
	}
	return nil
}

// listDropped describes the variables that no name of the notebook refers to any more
// and that are still in use.
func (r *run) listDropped() ([]string, error) {
	w := r.liveWorker()
	if w == nil {
		return nil, nil
	}
	return w.ListDropped(r.ctx)
}

func (r *run) removeDirective(d cell.DirectiveLine) error {
	names, err := splitWords(strings.ReplaceAll(d.Args, ",", " "))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("write %rm NAME ...; %list shows the names")
	}
	var errs []error
	needed := map[string][]program.Declaration{}
	for _, name := range names {
		users, err := r.session.program.Load().Remove(name)
		errs = append(errs, err)
		needed[name] = users
	}
	if w := r.liveWorker(); w != nil {
		r.session.sendDropped(w, r.session.program.Load())
	}
	for _, name := range names {
		var list []string
		for _, u := range needed[name] {
			if !slices.Contains(names, u.Name) {
				list = append(list, fmt.Sprintf("%s (cell %d)", u.Name, u.Cell))
			}
		}
		if len(list) > 0 {
			r.print("%s is needed by %s: code that is loaded keeps it, but does not compile again without it\n", name, strings.Join(list, ", "))
		}
	}
	return errors.Join(errs...)
}
