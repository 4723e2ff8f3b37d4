package typetext

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A Text is the source form of a type. It has placeholders for names that may differ between units: the names of
// packages and of the notebook's types.
type Text struct {
	Parts []Part
	Names []string // notebook names that the type mentions
	Paths []string // import paths of packages that the type mentions
}

// Key returns a string that is different for different texts.
func (t *Text) Key() string { return fmt.Sprint(t.Parts) }

// A Part is literal text, the import path of a package (the next part begins with a dot), or a name of the notebook.
// Only one field is set.
type Part struct {
	Text, Path, Name string
}

// Marks that Of writes in place of package names. The text of a Go type cannot
// contain them, since struct tags are quoted.
const (
	markPackage = "\x01"
	markEnd     = "\x02"
	markMain    = "\x03"
)

// Of returns the source form of t, or nil if source of package main cannot name it.
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

// String returns a type as users write it: with the names of packages, not their import paths.
func String(t types.Type, main *types.Package) string {
	return mangle.Demangle(types.TypeString(t, func(p *types.Package) string {
		if p == main {
			return ""
		}
		return p.Name()
	}))
}

// Signature returns a function type as text, with import paths and without the names of parameters and
// results.
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
