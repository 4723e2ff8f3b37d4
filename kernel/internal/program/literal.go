package program

import "github.com/perijove/perijove/kernel/internal/cell"

// A literal is one that follows constants.
type literal struct {
	number int // of the literals that are in no other, from 1
	print  string
}

// A literalSource is a piece of a cell's statements with function literals.
type literalSource struct {
	source cell.Source
	follow []bool // for each of source.Outermost
}

// heldRefs are the references of the literals of an older cell's statements.
func (s *symbol) heldRefs() []cell.Ref {
	var out []cell.Ref
	for _, src := range s.sources {
		for i, lit := range src.source.Outermost {
			for _, r := range src.source.Refs {
				if src.follow[i] && r.Off >= lit.Start && r.Off < lit.End && !r.Key {
					r.Top = false
					out = append(out, r)
				}
			}
		}
	}
	return out
}
