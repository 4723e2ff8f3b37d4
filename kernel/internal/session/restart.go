package session

import (
	"errors"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

func (r *run) resetDirective(d cell.DirectiveLine) error {
	if d.Args == "out" {
		return r.dropResults()
	}
	if d.Args != "" && d.Args != "-f" {
		return errors.New("write %reset alone, it forgets everything; %reset out drops the results of cells, %rm forgets one name, %restart the variables")
	}
	if w := r.session.dropWorker(); w != nil {
		w.Kill()
	}
	r.session.program.Swap(r.session.newProgram()).Compiler.Close()
	if !r.session.isStandalone() {
		if _, err := r.session.ensureWorker(r.ctx); err != nil {
			return err
		}
	}
	r.print("everything that the notebook has declared and imported is forgotten\n")
	return nil
}

// restartDirective ends the worker and starts another.
func (r *run) restartDirective(d cell.DirectiveLine) error {
	if d.Args != "" {
		return errors.New("write %restart alone")
	}
	if r.session.modules.SwitchModule() {
		r.session.program.Load().Reimport()
	}
	r.session.mu.Lock()
	w := r.session.worker
	r.session.mu.Unlock()
	if w == nil {
		return nil
	}
	w.Kill()
	lines := r.session.discardWorker(w)
	if _, err := r.session.ensureWorker(r.ctx); err != nil {
		return err
	}
	r.print("a new worker runs\n%s\n", strings.Join(lines, "\n"))
	return nil
}
