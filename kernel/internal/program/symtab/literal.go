package symtab

import "github.com/perijove/perijove/kernel/internal/cell"

// A Literal is one that follows constants or generic code.
type Literal struct {
	Suffix      string // what the compiler appends to the name of what it is in: "func1", and "func1.2" for the second literal in that
	Fingerprint string
}

// A LiteralSource is a piece of a cell's statements with function literals.
type LiteralSource struct {
	Source  cell.Source
	Follows []bool // for each of source.Outermost
	Keeps   []bool // those that would follow, but capture variables of their statement
}

// LiteralRefs are the references of the literals of an older cell's statements that follow.
func (s *Symbol) LiteralRefs() []cell.Ref {
	return s.literalRefs(func(src LiteralSource) []bool { return src.Follows })
}

// KeptRefs are the references of those that keep their code.
func (s *Symbol) KeptRefs() []cell.Ref {
	return s.literalRefs(func(src LiteralSource) []bool { return src.Keeps })
}

func (s *Symbol) literalRefs(which func(LiteralSource) []bool) []cell.Ref {
	var out []cell.Ref
	for _, src := range s.LiteralSources {
		is := which(src)
		for i, lit := range src.Source.Outermost {
			for _, r := range src.Source.Refs {
				if i < len(is) && is[i] && r.Off >= lit.Start && r.Off < lit.End && !r.Key {
					r.Top = false
					out = append(out, r)
				}
			}
		}
	}
	return out
}
