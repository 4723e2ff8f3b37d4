package exportdata

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// ByName returns the import path of the package that a name before a dot means without an import. It is a package of
// the standard library, or else the package of BeyondStd if that can be loaded. If several packages have the name,
// ByName prefers one that exports all the selected names. It returns "" if there is no package.
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

// IsStd reports whether a path is the import path of a package of the standard library.
func IsStd(path string) bool { return slices.Contains(strings.Fields(stdPaths), path) }

// BeyondStd returns the path of a package outside the standard library that cells can use without an import. It
// returns "" if there is none with this name. The package may not be installed.
func BeyondStd(name string) string {
	if name == "constraints" {
		return "golang.org/x/exp/constraints"
	}
	return ""
}

// ExportsAll reports whether a package can be loaded and exports all the names.
func (p *Packages) ExportsAll(path string, names []string) bool {
	pkg, err := p.Import(path)
	return err == nil && !slices.ContainsFunc(names, func(s string) bool { return !Exports(pkg, s) })
}

// Exports reports whether a package exports a name.
func Exports(pkg *types.Package, name string) bool {
	return token.IsExported(name) && pkg.Scope().Lookup(name) != nil
}

// Importable reports whether no element of the path is "internal", "vendor" or "cmd".
func Importable(path string) bool {
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool {
		return s == "internal" || s == "vendor" || s == "cmd"
	})
}
