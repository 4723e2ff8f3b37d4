package exportdata

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// ByName chooses the std package that a selector base means, else one of
// BeyondStd that is at hand, "" if none has the name. Of several the first that exports all the selected names is taken.
func (p *Packages) ByName(name string, sels []string) string {
	candidates := p.Std[name]
	if len(candidates) == 1 {
		return candidates[0]
	}
	for _, c := range candidates {
		if p.ExportsAll(c, sels) {
			return c
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	if path := BeyondStd(name); path != "" && p.ExportsAll(path, sels) {
		return path
	}
	return ""
}

// BeyondStd returns the path of a package that is no part of the standard
// library and yet known by its name alone, or "". It need not be at hand.
func BeyondStd(name string) string {
	if name == "constraints" {
		return "golang.org/x/exp/constraints"
	}
	return ""
}

// ExportsAll reports whether a package can be had and exports all the names.
func (p *Packages) ExportsAll(path string, names []string) bool {
	pkg, err := p.Import(path)
	return err == nil && !slices.ContainsFunc(names, func(s string) bool { return !Exports(pkg, s) })
}

func Exports(pkg *types.Package, name string) bool {
	return token.IsExported(name) && pkg.Scope().Lookup(name) != nil
}

// Importable reports whether a cell may import a package of the image.
func Importable(path string) bool {
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool {
		return s == "internal" || s == "vendor" || s == "cmd"
	})
}
