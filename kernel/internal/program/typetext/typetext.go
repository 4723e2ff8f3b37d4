package typetext

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A Text is the source form of a type with gaps for what may be called
// differently in each unit: packages and the notebook's own types.
type Text struct {
	Parts []Part
	Names []string // notebook types that it mentions
	Paths []string // packages that it mentions
}

// Key tells type texts apart.
func (t *Text) Key() string { return fmt.Sprint(t.Parts) }

// A Part is literal text, or a package (followed by a dot), or a type of
// the notebook.
type Part struct {
	Text, Path, Name string
}

// Marks that types.WriteType puts out in place of package names. No Go type
// contains them: tags are quoted.
const (
	markPackage = "\x01"
	markEnd     = "\x02"
	markMain    = "\x03"
)

// Of returns the source form of t, or nil if Go code outside the packages
// that t comes from cannot name it.
func Of(t types.Type, main *types.Package) *Text {
	if !nameable(t, main) {
		return nil
	}
	s := types.TypeString(t, func(p *types.Package) string {
		if p == main {
			return markMain
		}
		return markPackage + p.Path() + markEnd
	})
	out := &Text{}
	for s != "" {
		i := strings.IndexAny(s, markPackage+markMain)
		if i < 0 {
			out.Parts = append(out.Parts, Part{Text: s})
			break
		}
		out.Parts = append(out.Parts, Part{Text: s[:i]})
		if s[i:i+1] == markPackage {
			path, rest, _ := strings.Cut(s[i+1:], markEnd)
			out.Parts = append(out.Parts, Part{Path: path})
			out.Paths = append(out.Paths, path)
			s = rest
			continue
		}
		rest := s[i+2:] // the mark and the dot
		end := 0
		for end < len(rest) && !strings.ContainsRune(" \t\n[](){}*,;.", rune(rest[end])) {
			end++
		}
		name := mangle.Demangle(rest[:end])
		out.Parts = append(out.Parts, Part{Name: name})
		out.Names = append(out.Names, name)
		s = rest[end:]
	}
	return out
}

// String gives a type as users write it: package names without paths.
func String(t types.Type, main *types.Package) string {
	return mangle.Demangle(types.TypeString(t, func(p *types.Package) string {
		if p == main {
			return ""
		}
		return p.Name()
	}))
}

// Signature writes a function type without the names of parameters and results,
// with packages by their paths.
func Signature(sig *types.Signature) string {
	return types.TypeString(unnamed(sig), (*types.Package).Path)
}

// unnamed returns a function type without the names of parameters and results.
func unnamed(sig *types.Signature) *types.Signature {
	tuple := func(t *types.Tuple) *types.Tuple {
		var list []*types.Var
		for v := range t.Variables() {
			list = append(list, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
		}
		return types.NewTuple(list...)
	}
	return types.NewSignatureType(nil, nil, nil, tuple(sig.Params()), tuple(sig.Results()), sig.Variadic())
}
