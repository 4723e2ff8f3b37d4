package session

import (
	"errors"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// time is called where %time has no statement behind it that the cell's own
// code measures.
func (r *run) time(d cell.DirectiveLine) error {
	if d.Name == "%%time" && strings.TrimSpace(d.Args) == "" {
		return nil // the cell's code does it
	}
	return errors.New("write %time STATEMENT for one statement, or %%time alone in its line for the whole cell")
}

func (r *run) timeit(cell.DirectiveLine) error {
	return errors.New("write %timeit STATEMENT, or %%timeit above the statements to repeat, with -n LOOPS and -r RUNS if you like")
}
