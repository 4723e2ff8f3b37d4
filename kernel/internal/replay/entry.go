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
	Cell    int // number of the cell in the notebook
	Source  string
	Effects effects.Effects
	Dir     string   // folder in which the cell ran; "" for the folder of the notebook
	Args    []string // os.Args when the cell ran

	IsGone bool // the effects of the run were lost with a worker process
	// Unfit is the reason why the cell must not be run again; "" if it may be run again.
	Unfit string
}

// Parsed returns the parsed cell. It cannot fail, since the cell has run.
func (e *Entry) Parsed() *cell.Cell {
	c, _ := cell.Parse(e.Cell, e.Source)
	return c
}

// A Step is a run of a cell that %replay repeats.
type Step struct {
	*Entry
	DeclarationsOnly bool // run only the functions, types and constants of the cell, not its statements
}

// Title returns the first line of the step's cell.
func (s Step) Title() string {
	first := s.Parsed().Title(s.DeclarationsOnly)
	if s.DeclarationsOnly {
		first += "  (only its declarations)"
	}
	return cell.Name(s.Cell) + ": " + first
}

// CellList returns a text that lists the cells of steps, such as "cell 2" or "cells 2, 5".
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
