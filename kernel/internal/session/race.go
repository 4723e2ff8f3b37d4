package session

import (
	"errors"
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/supervisor"
)

// raceDirective shows whether the race detector is on, or replaces the worker process by one with or without the
// detector.
func (r *run) raceDirective(d cell.DirectiveLine) error {
	races := r.session.races
	arg := strings.TrimSpace(d.Args)
	on := arg == "on"
	switch {
	case arg != "" && !on && arg != "off":
		return errors.New("the argument must be on or off: write %race on or %race off; %race alone shows whether the race detector is on")
	case arg == "" || on == races.On():
		r.print("%s\n", races)
		return nil
	case r.session.isStandalone():
		return errors.New("the race detector cannot be turned on, since each cell runs as a separate program: export the notebook and run it with go run -race")
	}
	var line *progressLine
	img, err := races.Image(r.ctx, r.session.cfg.Image, on, r.sink, func(step string) {
		r.session.cfg.Log.Info(step)
		if line == nil {
			line = r.progress() // so that the line is below the notice about the cost of the detector
		}
		line.set("building a program with the race detector (" + step + ")")
	})
	if line != nil {
		line.end()
	}
	switch {
	case r.ctx.Err() != nil:
		return supervisor.InterruptedError("interrupted while building a program with the race detector")
	case err != nil:
		return fmt.Errorf("cannot replace the process that runs the cells: %w", err)
	}
	r.print("%s\n", races.Set(on))
	r.replaceImage(img, "started a new process for the cells", func() { r.session.modules.ReplaceImage(img) })
	return nil
}

// showRaces shows new reports of the race detector. A cell in which the detector has found races fails.
func (r *run) showRaces(failed *output.Error) *output.Error {
	found := r.session.races.Show(r.sink, r.session.style())
	if failed != nil {
		return failed
	}
	return found
}
