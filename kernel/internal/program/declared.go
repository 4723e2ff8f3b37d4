package program

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// declaredType returns the source form of a variable's declared type if that
// mentions more of the notebook than types, as [N]int does: the variable then
// follows a new value of N. Else it is nil, and the checked type says it all.
func (b *builder) declaredType(src cell.Source, v *cell.VarSpec, binds map[string]symtab.Binding) *typetext.Text {
	if v == nil || v.TypeStart >= v.TypeEnd {
		return nil
	}
	var refs []cell.Ref
	follows := false
	for _, r := range src.Refs {
		if r.Off < v.TypeStart || r.Off >= v.TypeEnd || r.Key {
			continue
		}
		refs = append(refs, r)
		if r.Top || binds[r.Name].Kind == symtab.InNotebook {
			s := b.lookup(r.Name)
			follows = follows || s != nil && s.Kind != cell.Type
		}
	}
	if !follows {
		return nil
	}
	slices.SortFunc(refs, func(x, y cell.Ref) int { return x.Off - y.Off })
	out := &typetext.Text{}
	at := v.TypeStart
	literal := func(end int) {
		out.Parts = append(out.Parts, typetext.Part{Text: src.Text[at:end]})
		at = end
	}
	for _, r := range refs {
		literal(r.Off)
		bd := binds[r.Name]
		switch {
		case r.Top || bd.Kind == symtab.InNotebook:
			out.Parts = append(out.Parts, typetext.Part{Name: r.Name})
			out.Names = append(out.Names, r.Name)
		case bd.Kind == symtab.Imported || bd.Kind == symtab.DotImported:
			out.Parts = append(out.Parts, typetext.Part{Path: bd.Path})
			out.Paths = append(out.Paths, bd.Path)
			if bd.Kind == symtab.DotImported {
				out.Parts = append(out.Parts, typetext.Part{Text: "." + r.Name})
			}
		default:
			continue
		}
		at += len(r.Name)
	}
	literal(v.TypeEnd)
	return out
}
