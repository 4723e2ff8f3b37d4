package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
)

// An Entry is one run of a cell.
type Entry struct {
	Cell    int // its number in the notebook
	Source  string
	Effects effects.Effects
	Dir     string   // the folder in which it ran; "" for that of the notebook
	Args    []string // os.Args when it ran

	IsGone bool // its effects were lost with a worker process
	// Unfit is the reason why the cell must not be run again; "" if it may be.
	Unfit string
}

// Parsed returns the parsed cell. It cannot fail, since the cell has run.
func (e *Entry) Parsed() *cell.Cell {
	c, _ := cell.Parse(e.Cell, e.Source)
	return c
}

// A Step is one run to repeat.
type Step struct {
	*Entry
	DeclarationsOnly bool // run only its functions, types and constants, not its statements
}

// Title names the step by the first line of its cell.
func (s Step) Title() string {
	first := s.Parsed().Title(s.DeclarationsOnly)
	if s.DeclarationsOnly {
		first += "  (only its declarations)"
	}
	return cell.Name(s.Cell) + ": " + first
}

// CellList returns a list of the cells of steps: "cell 2", "cells 2, 5".
func CellList(steps []Step) string {
	const most = 20
	var numbers []string
	for _, s := range steps {
		if text := fmt.Sprint(s.Cell); !slices.Contains(numbers, text) {
			numbers = append(numbers, text)
		}
	}
	text := strings.Join(numbers[:min(most, len(numbers))], ", ")
	switch {
	case len(numbers) == 1:
		return "cell " + text
	case len(numbers) > most:
		return fmt.Sprintf("cells %s and %d more", text, len(numbers)-most)
	}
	return "cells " + text
}
