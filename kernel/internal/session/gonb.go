package session

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/output"
)

// detectGoNB sets isGoNB if a cell is written for GoNB. It then stays set.
func (s *Session) detectGoNB(c *cell.Cell) {
	s.isGoNB = s.isGoNB || gonb.IsWrittenFor(c)
}

// goflagsDirective prints that %goflags has no effect, since go build does not run.
func (r *run) goflagsDirective(d cell.DirectiveLine) error {
	if args := strings.Trim(strings.TrimSpace(d.Args), `"`); args != "" {
		r.sink.Stream(output.Stderr, "%goflags has no effect: cells are compiled without go build, which would take "+args+"\n")
	}
	return nil
}

// wasmDirective refuses %wasm.
func (r *run) wasmDirective(cell.DirectiveLine) error {
	return errors.New("%wasm is not supported, since cells cannot be compiled for the browser: use the controls of package lib/widget")
}

// widgetsDirective connects to the script of package gonb in the page, before the cell's Go code runs.
func (r *run) widgetsDirective(cell.DirectiveLine) error {
	if r.session.isStandalone() {
		return errors.New("GoNB's widgets need a process that keeps running, but each cell runs as a separate program")
	}
	w, err := r.session.ensureWorker(r.ctx)
	if err != nil {
		return err
	}
	w.gonb.ConnectPage(r.sink)
	return nil
}

func (r *run) nothingDirective(cell.DirectiveLine) error { return nil }

// gonbEnv returns the environment variables with the folders that GoNB's notebooks
// use in shell commands and in Go.
func (s *Session) gonbEnv() []string {
	tmp := s.modules.Dir()
	if tmp == "" {
		tmp = s.scratch.Path
	}
	return []string{gonb.EnvDir + "=" + s.dir(), gonb.EnvTmpDir + "=" + tmp}
}

// setGoNBFolders sets the environment variables of gonbEnv in the worker process.
func (s *Session) setGoNBFolders(ctx context.Context) error {
	folders := s.gonbEnv()
	if slices.Equal(folders, s.gonbFolders) {
		return nil
	}
	s.gonbFolders = folders
	s.setup.Env = append(s.setup.Env, folders...)
	return s.applySetup(ctx, control.Setup{Env: folders})
}
