package program

import (
	"fmt"
	"go/build/constraint"
	"runtime"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// linknames returns the cell's //go:linkname lines for a name that are not in its own doc comment, and the symbol that
// they name.
func (b *builder) linknames(name string) (pragma, remote string) {
	var out []string
	for _, l := range b.cell.Linknames {
		if l.Local == name && !l.Own {
			out = append(out, l.Text)
			remote = l.Remote
		}
	}
	return strings.Join(out, "\n"), remote
}

// givesLinkedValue reports whether a specification has a value for a variable with a
// //go:linkname line. The object's data cannot hold that value, since the
// symbol may have data in another package: a statement assigns the value.
func (b *builder) givesLinkedValue(v *cell.VarSpec, declared []cell.Ref) bool {
	return len(v.Values) > 0 && slices.ContainsFunc(declared, func(n cell.Ref) bool {
		s := b.vars[n.Name]
		return s != nil && s.Pragma != ""
	})
}

// specsLinked reports whether givesLinkedValue holds for one of the cell's specifications.
func (b *builder) specsLinked() bool {
	return slices.ContainsFunc(b.specs, func(s *emit.Spec) bool { return b.givesLinkedValue(s.Var, s.Names) })
}

// linknameErrors returns errors for //go:linkname lines whose names the cell declares neither with func nor with var, and for
// symbols that more than one name defines.
func (b *builder) linknameErrors() cell.Errors {
	defines := map[string]bool{} // by declared name: whether it defines the symbol; a function without body only refers to it
	for _, s := range b.decls {
		if s.Kind == cell.Func && s.Recv == "" {
			defines[s.Decl.Names[0].Name] = s.Decl.Body >= 0
		}
	}
	for _, s := range b.specs {
		for _, n := range s.Names {
			defines[n.Name] = true
		}
	}
	for _, st := range b.stmts {
		for _, n := range st.Names {
			if st.Var != nil {
				defines[n.Name] = true
			}
		}
	}
	owners := map[string]string{}
	var errs cell.Errors
	for _, l := range b.cell.Linknames {
		isDefined, declared := defines[l.Local]
		switch owner := owners[l.Remote]; {
		case !declared:
			errs = append(errs, b.cellError(l.Pos, "//go:linkname is for %s, which this cell declares neither with func nor with var", l.Local))
		case !isDefined || l.Remote == "" || owner == l.Local:
		case owner == "":
			owners[l.Remote] = l.Local
		default:
			errs = append(errs, b.cellError(l.Pos, "%s and %s cannot both have the symbol %s: leave out one of them", owner, l.Local, l.Remote))
		}
	}
	return errs
}

func (b *builder) cellError(pos cell.Pos, format string, args ...any) *cell.Error {
	return &cell.Error{Cell: b.cell.N, Pos: pos, Msg: fmt.Sprintf(format, args...), Source: cell.Line(b.cell.Src, pos.Line)}
}

// sharedSymbolErrors returns errors for variables of different cells that have the same link symbol and that the unit
// needs together: an object can define a symbol only once.
func (b *builder) sharedSymbolErrors(in map[*symtab.Symbol]emit.Form) cell.Errors {
	var list []*symtab.Symbol
	for s := range in {
		if s.Kind == cell.Var && s.Remote != "" && b.vars[s.Key] == nil {
			list = append(list, s)
		}
	}
	for _, s := range b.vars {
		if s.Remote != "" {
			list = append(list, s)
		}
	}
	symtab.SortSymbols(list)
	var errs cell.Errors
	owners := map[string]string{}
	for _, s := range list {
		owner := owners[s.Remote]
		if owner == "" {
			owners[s.Remote] = s.Key
			continue
		}
		errs = append(errs, b.cellError(b.firstUse(s.Key), "%s and %s cannot be used together, since both have the symbol %s: %%rm one of them", owner, s.Key, s.Remote))
	}
	return errs
}

// firstUse returns the position at which the cell first uses or declares a name, or the position of its first declaration or
// statement if it does neither.
func (b *builder) firstUse(name string) cell.Pos {
	var sources []*cell.Source
	for _, d := range b.cell.Decls {
		sources = append(sources, &d.Source)
	}
	for _, st := range b.cell.Stmts {
		sources = append(sources, &st.Source)
	}
	if len(sources) == 0 {
		return cell.Pos{Line: 1, Col: 1}
	}
	for _, src := range sources {
		for _, r := range src.Refs {
			if r.Name == name {
				return src.PosIn(r.Off)
			}
		}
	}
	return sources[0].Pos
}

// noteConstraints prints a notice for a //go:build line that would keep a file out of a
// build: the cell runs anyway.
func (b *builder) noteConstraints() {
	for _, line := range b.cell.Builds {
		if x, err := constraint.Parse(line.Text); err == nil && !x.Eval(b.tagHolds) {
			b.notice("%s line %d: %s is not satisfied here, but a cell ignores build constraints", cell.Name(b.cell.N), line.Pos.Line, line.Text)
		}
	}
}

// tagHolds reports whether go build without -tags would consider a build tag satisfied.
func (b *builder) tagHolds(tag string) bool {
	if minor, ok := strings.CutPrefix(tag, "go1."); ok {
		have := strings.TrimPrefix(b.p.cfg.Lang, "go1.")
		return len(minor) < len(have) || len(minor) == len(have) && minor <= have
	}
	unix := runtime.GOOS == "linux" || runtime.GOOS == "darwin"
	return tag == "unix" && unix || slices.Contains([]string{runtime.GOOS, runtime.GOARCH, "gc", "cgo"}, tag)
}

// embeds reports whether a declaration of the cell has a //go:embed line: statements then
// give the variables their values.
func embeds(c *cell.Cell) bool {
	for _, d := range c.Decls {
		if d.Embed {
			return true
		}
	}
	return false
}

// embedErrors checks the variables of the cell that have //go:embed lines.
func (b *builder) embedErrors() cell.Errors {
	var errs cell.Errors
	for _, st := range b.stmts {
		if st.Embed == "" {
			continue
		}
		name := st.Names[0].Name
		msg := ""
		switch v := b.vars[name]; {
		case len(st.Names) != 1 || v == nil:
			msg = "//go:embed must be above the declaration of one variable"
		case len(st.Var.Values) > 0:
			msg = "a variable with //go:embed cannot have a value"
		case v.IsEmbeddable:
		default:
			msg = fmt.Sprintf("//go:embed needs a variable of type string, []byte or embed.FS, but %s has type %s", name, v.TypeString)
		}
		if msg != "" {
			errs = append(errs, &cell.Error{Cell: b.cell.N, Pos: st.Pos, Msg: msg, Source: cell.Line(b.cell.Src, st.Pos.Line)})
		}
	}
	return errs
}
