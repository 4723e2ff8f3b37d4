// Package refusal says why no worker can run a function, and what to do.
package refusal

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpremote"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// A Reason has the facts that Of needs: about a cluster, and about a pool whose tasks cannot run.
type Reason struct {
	URL   string
	Build members.Build                         // build of this process
	Offer func(b members.Build) *mpsource.Table // returns the hashes of another build, or nil
	First *mpremote.Func                        // the pool's initializer, or nil
}

// Of returns a text that says why none of the workers that this process knows can run f.
func (r *Reason) Of(f *mpremote.Func, workers []wire.Worker) string {
	if len(workers) == 0 {
		return fmt.Sprintf("no worker has joined %s; start some with Workers, %s", r.URL, whereWorkersStart())
	}
	m := workers[0]
	i := slices.IndexFunc(workers, func(m wire.Worker) bool { return m.Offers })
	switch {
	case i < 0 && inNotebook():
		return fmt.Sprintf("%s needs a worker of this notebook, but the processes at %s (%d) run other programs, such as %s (process %d on %s), "+
			"or are child processes that have called Open themselves; start workers with Workers, %s", f.Name, r.URL, len(workers), m.Program, m.PID, m.Host, whereWorkersStart())
	case i < 0:
		return fmt.Sprintf("%s needs a worker of build %.4x, but the processes at %s (%d) run other builds, such as %.4x (process %d on %s); "+
			"start workers from the same file as this program", f.Name, r.Build, r.URL, len(workers), m.Build, m.PID, m.Host)
	}
	m = workers[i]
	if r.First != nil && f.Source != nil && r.Offer(m.Build) != nil && r.Offer(m.Build).Offers(f.Source) {
		f = r.First
	}
	return fmt.Sprintf("%s cannot run on %s (process %d on %s): %s; build that program again from this notebook, or start workers here with Workers",
		f.Name, m.Program, m.PID, m.Host, r.of(f, &m))
}

// of says why a worker of another build cannot run f.
func (r *Reason) of(f *mpremote.Func, w *wire.Worker) string {
	if f.Source == nil {
		return f.Bound
	}
	table := r.Offer(w.Build)
	if table == nil {
		return "the hashes of its functions cannot be read from the server"
	}
	if text := f.Source.Difference(table); text != "" {
		return text
	}
	return fmt.Sprintf("it does not offer %s to other programs: only functions without type parameters and receiver are offered", f.Source.Name)
}

// inNotebook reports whether this process runs the cells of a notebook, or is its child.
func inNotebook() bool {
	h, err := mphost.Current()
	return err == nil && !mphost.IsProgram(h)
}

// whereWorkersStart says which processes may call Workers so that they run this program.
func whereWorkersStart() string {
	if inNotebook() {
		return "called in a cell, or with a program that perijove build --worker makes of this notebook"
	}
	return "here or in another process"
}
