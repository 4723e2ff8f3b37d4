package session

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

// saved holds the cells that %save writes: the newest text of each cell that has run without an error, in the order in
// which the cells first ran.
type saved struct {
	cells []output.HistoryEntry
	ids   []string // of the cells in the front end; "" if it has none
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
		return errors.New("write %save DIR")
	case s.cfg.Export == nil:
		return errors.New("this program cannot export cells")
	case len(s.saved.cells) == 0:
		return errors.New("no cell has run without an error yet")
	}
	target := words[0]
	if !filepath.IsAbs(target) {
		target = filepath.Join(s.dir(), target)
	}
	if err := s.cfg.Export(r.ctx, s.saved.cells, s.dir(), target); err != nil {
		var cells cell.Errors
		if errors.As(err, &cells) {
			return fmt.Errorf("the notebook cannot be exported:\n%s", cells.Render())
		}
		return err
	}
	r.print("wrote the program of %d cells to %s\n", len(s.saved.cells), words[0])
	return nil
}
