package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// resolve compiles a package and its dependencies with the go command, which it runs through
// ask, and adds them.
func (m *Modules) resolve(ctx context.Context, path string, ask listFunc) error {
	list, ok := m.cachedAnswer(path)
	if !ok {
		var err error
		if list, err = ask(ctx, false, "-export", "-deps", "--", path); err != nil {
			var refused *goCommandError
			if errors.As(err, &refused) && (!m.mayProvide(path) || m.lacksVendored(path)) {
				return m.notFound(path)
			}
			if members := m.members(); refused != nil && len(members) > 0 && !m.isProvided(ctx, path) {
				return fmt.Errorf("%w\nto get the package from this notebook:  %s", err, getLine(members, path))
			}
			return err
		}
		m.cacheAnswer(path, list)
	}
	m.addAnswer(path, list)
	return nil
}

// resolveTogether resolves the packages that are not known yet with one call of the go
// command. If the call fails, it adds nothing. The caller then resolves each package separately to find the package
// that fails.
func (m *Modules) resolveTogether(ctx context.Context, paths []string, ask listFunc) {
	var unknown []string
	for _, path := range paths {
		if _, _, known := m.lookup(path); known || slices.Contains(unknown, path) {
			continue
		}
		if _, ok := m.cachedAnswer(path); !ok {
			unknown = append(unknown, path)
		}
	}
	if len(unknown) < 2 {
		return
	}
	list, err := ask(ctx, false, append([]string{"-export", "-deps", "--"}, unknown...)...)
	if err != nil {
		return
	}
	for _, path := range unknown {
		if part := closure(list, path); len(part) > 0 { // a pattern or folder is not an import path, and list has no package with that name
			m.cacheAnswer(path, part)
			m.addAnswer(path, part)
		}
	}
}

// closure returns the package of a path and its dependencies in list, in the order
// of list, without the standard library.
func closure(list []listedPackage, path string) []listedPackage {
	needed := map[string]bool{path: true}
	var out []listedPackage
	for _, p := range slices.Backward(list) { // dependencies come first
		if !needed[p.ImportPath] || p.Standard {
			continue
		}
		for _, im := range p.Imports {
			needed[im] = true
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// addAnswer adds the packages that were listed for a path.
func (m *Modules) addAnswer(path string, list []listedPackage) {
	if len(m.roots) == 0 {
		m.moduleFilesHash = m.hashModuleFiles()
	}
	m.roots[path] = true
	for _, p := range list {
		if !m.isInImage(p) {
			m.add(p)
		}
	}
}
