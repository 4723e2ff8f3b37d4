package session

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

// takeC goes over to a worker that contains the C code which the cell's
// imports need, if the present one does not: it cannot be loaded.
func (r *run) takeC(c *cell.Cell) *output.Error {
	var paths []string
	for _, im := range c.Imports {
		paths = append(paths, im.Path)
	}
	if len(paths) == 0 {
		return nil
	}
	line := r.progress()
	defer line.end()
	line.set(searching, searching)
	set, code, err := r.modules.CgoPackages(r.ctx, paths)
	switch {
	case r.ctx.Err() != nil:
		return failure("Interrupted", "interrupted while looking for packages")
	case err != nil:
		return failure("ImageError", err.Error())
	case set == nil:
		return nil
	}
	names := strings.Join(code, ", ")
	waits := "building a worker that contains the C code of " + names + ", which happens once and may take minutes"
	const building = "building a worker with C code"
	line.set(waits, building)
	img, err := r.cfg.Image.With(r.ctx, set, func(step string) {
		r.cfg.Log.Info(step)
		line.set(waits+" ("+step+")", building)
	})
	line.end()
	switch {
	case r.ctx.Err() != nil:
		return failure("Interrupted", "interrupted while building a worker with the C code of "+names)
	case err != nil:
		return failure("ImageError", "package "+names+" has C code: "+err.Error())
	}
	w := r.dropWorker()
	r.mu.Lock()
	r.cfg.Image = img
	r.mu.Unlock()
	if w != nil {
		w.kill()
	}
	r.modules.SetImage(img, set)
	program := r.program.Load()
	program.Reimport()
	lines := append([]string{"started a new worker, which contains the C code of " + names}, r.bury(w)...)
	r.sink.Stream(output.Stderr, strings.Join(lines, "; ")+"\n")
	return nil
}
