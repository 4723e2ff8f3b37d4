package session

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
)

// reloadEdited reloads packages of the notebook's module that the user has edited, and
// prints a notice.
func (r *run) reloadEdited() {
	line := r.progress()
	change := r.session.modules.Refresh(r.ctx, line.compiling)
	line.end()
	if change == nil {
		return
	}
	names := strings.Join(change.Edited, ", ")
	err := change.Err
	var renewed bool
	if err == nil {
		renewed, err = r.reload(change)
	}
	switch {
	case r.ctx.Err() != nil:
	case err != nil:
		r.sink.Stream(output.Stderr, names+" changed and cannot be loaded again; what was loaded stays: "+err.Error()+"\n")
	case renewed:
		r.sink.Stream(output.Stderr, "reloaded "+names+", which changed: its variables are initialized again, and its types are new ones, which values made before do not have\n")
	default:
		r.sink.Stream(output.Stderr, "reloaded "+names+", which changed: its variables are initialized again, and values made before have the new methods\n")
	}
}

// reload has the worker and the program replace packages by their changed forms. It
// reports whether the packages' types are new ones, unrelated to the old.
func (r *run) reload(change *modules.Change) (renewed bool, err error) {
	prog := r.session.program.Load()
	renewed = prog.Changed(change.Packages) || change.VersionChanged
	r.session.mu.Lock()
	w := r.session.worker
	r.session.mu.Unlock()
	if w != nil && !w.IsDead() {
		extra, err := r.session.modules.ExtraImportcfg()
		if err != nil {
			return false, err
		}
		renewed, err = w.Reload(r.ctx, control.Reload{Packages: change.Packages, Importcfg: extra, Renew: renewed})
		if err != nil {
			return false, err
		}
	}
	prog.Reload(change.Packages, renewed)
	return renewed, nil
}
