package symtab

import "github.com/perijove/perijove/kernel/internal/cell"

// A Literal is a function literal that follows constants or generic code, which means that it is compiled again when
// these change.
type Literal struct {
	Suffix      string // the suffix that the compiler adds to the name of the function around the literal: "func1", and "func1.2" for the second literal in func1
	Fingerprint string
}

// A LiteralSource is a statement or a declaration with function literals.
type LiteralSource struct {
	Source  cell.Source
	Follows []bool // for each of Source.Outermost, whether the literal follows a declaration
	Keeps   []bool // for each of Source.Outermost, whether the literal would follow a declaration if it captured no variables of its statement
}

// LiteralRefs returns the references in those function literals of s that follow a declaration.
func (s *Symbol) LiteralRefs() []cell.Ref {
	return s.literalRefs(func(src LiteralSource) []bool { return src.Follows })
}

// KeptRefs returns the references in those function literals of s that keep their code, since they capture variables.
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
