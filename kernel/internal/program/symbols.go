package program

import "sort"

func sortedAside(m map[string]*asideSymbol) []*asideSymbol {
	out := make([]*asideSymbol, 0, len(m))
	for _, a := range m {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// symbols lists the live symbols by cell and place.
func (p *Program) symbols() []*symbol {
	seen := map[*symbol]bool{}
	var out []*symbol
	for _, s := range p.names {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	sortSymbols(out)
	return out
}

func sortSymbols(list []*symbol) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.origin.n != b.origin.n {
			return a.origin.n < b.origin.n
		}
		if a.decl != nil && b.decl != nil && a.decl.Pos != b.decl.Pos {
			if a.decl.Pos.Line != b.decl.Pos.Line {
				return a.decl.Pos.Line < b.decl.Pos.Line
			}
			return a.decl.Pos.Col < b.decl.Pos.Col
		}
		return a.key < b.key
	})
}
