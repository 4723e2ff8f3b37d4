package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// captureDirective copies the cell's output to a file.
func (r *run) captureDirective(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	r.sink = sinks.NewTee(r.sink, f)
	return nil
}

func (r *run) writeFileDirective(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	_, err = f.WriteString(d.Body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	name := path
	if rel, err := filepath.Rel(r.session.dir(), path); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	r.print("wrote %d bytes to %s\n", len(d.Body), name)
	return nil
}

// fileArgument parses "[-a] FILE" and expands environment variables in FILE.
func (r *run) fileArgument(args string) (path string, appending bool, err error) {
	file, appending := strings.CutPrefix(strings.TrimSpace(args)+" ", "-a ")
	file = os.Expand(strings.TrimSpace(file), r.getenv)
	if file == "" {
		return "", false, errors.New("the name of a file is missing: write it after the directive")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(r.session.dir(), file)
	}
	return file, appending, nil
}

// getenv returns the value that an environment variable has in the notebook's shell commands.
func (r *run) getenv(name string) string {
	env := append(append(os.Environ(), r.session.setup.Env...), r.session.gonbEnv()...)
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

func openOutput(path string, appending bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if appending {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	return os.OpenFile(path, flags, 0o644)
}

// saved holds the cells that %save writes: the newest text of each cell that has run without an error, in the order in
// which the cells first ran.
type saved struct {
	cells []output.HistoryEntry
	ids   []string // the front end's ids of the cells; "" if a cell has none
}

// add adds a cell that has run as cell n.
func (s *saved) add(n int, req output.Request) {
	entry := output.HistoryEntry{Line: n, Input: req.Code}
	if i := slices.Index(s.ids, req.CellID); i >= 0 && req.CellID != "" {
		s.cells[i] = entry
		return
	}
	s.cells, s.ids = append(s.cells, entry), append(s.ids, req.CellID)
}

// saveDirective writes the cells as a Go module.
func (r *run) saveDirective(d cell.DirectiveLine) error {
	words, err := splitWords(d.Args)
	if err != nil {
		return err
	}
	s := r.session
	switch {
	case len(words) != 1:
		return errors.New("the name of one folder is needed: write %save DIR")
	case s.cfg.Export == nil:
		return errors.New("this program runs cells, but cannot export them")
	case len(s.saved.cells) == 0:
		return errors.New("there is nothing to write: no cell has run without an error yet")
	}
	target := words[0]
	if !filepath.IsAbs(target) {
		target = filepath.Join(s.dir(), target)
	}
	if err := s.cfg.Export(r.ctx, s.saved.cells, s.dir(), target); err != nil {
		var cells cell.Errors
		if errors.As(err, &cells) {
			return fmt.Errorf("cannot export the notebook:\n%s", cells.Render())
		}
		return err
	}
	r.print("wrote the program of %d cells to %s\n", len(s.saved.cells), words[0])
	return nil
}
