package modules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/image"
)

// A cRoot is an imported package that has C code or needs a package that has.
type cRoot struct {
	Packages []string // that the worker must import
	Code     []string // that have the C code
	Modules  []image.Module
	Folders  []string // of modules without a version
	Local    string   // hash of their packages' sources
}

// CPackages looks for C code in the packages that a cell imports. It returns
// what the image must have besides, with the import paths of the packages
// that it is for, or nil if the image in use will do.
func (m *Modules) CPackages(ctx context.Context, imports []string) (set *image.CSet, code []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir == "" || os.Getenv("CGO_ENABLED") == "0" {
		return nil, nil, nil
	}
	roots := map[string]*cRoot{}
	for path, r := range m.cRoots {
		roots[path] = r
	}
	for _, path := range m.cCandidates(imports) {
		r, err := m.findC(ctx, path)
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			// Archive fails for the same reason, and the cell's error has its place.
		case r != nil:
			roots[path] = r
		default:
			delete(roots, path)
		}
	}
	if set, code, err = m.join(roots); err != nil || set == nil || set.Key() == m.cKey {
		return nil, nil, err
	}
	return set, code, nil
}

// cCandidates lists the imported packages that may have C code. With one of them come those that the image in use was
// built with: the module may have them in other versions now. What lies in folders is looked at when it is imported.
func (m *Modules) cCandidates(imports []string) []string {
	list := slices.DeleteFunc(slices.Clone(imports), func(path string) bool { return !m.beyond(path) })
	if len(list) == 0 {
		return nil
	}
	for _, path := range sortedKeys(m.cRoots) {
		if len(m.cRoots[path].Folders) == 0 && !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// beyond reports whether an import path may be that of a package that only the
// notebook's module has.
func (m *Modules) beyond(path string) bool {
	if _, given := m.given[path]; given || path == "C" || strings.HasPrefix(path, own) {
		return false
	}
	if _, err := m.img.Archive(path); err == nil && m.cRoots[path] == nil {
		return false
	}
	return HasDomain(path) || m.mentions(path)
}

// SetImage goes over to an image, which was built with set. Packages must be
// found anew: they are compiled with cgo from now on.
func (m *Modules) SetImage(img *image.Image, set *image.CSet) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.img, m.cKey = img, set.Key()
	m.cRoots = m.found
	m.archives, m.names = map[string]string{}, map[string]string{}
	m.folders, m.roots = map[string]*folder{}, map[string]bool{}
	for path, archive := range m.given {
		m.archives[path], m.names[path] = archive, ""
	}
}

// join makes one set of all roots.
func (m *Modules) join(roots map[string]*cRoot) (*image.CSet, []string, error) {
	if len(roots) == 0 {
		return nil, nil, nil
	}
	m.found = roots
	set := &image.CSet{}
	var code, folders []string
	var local strings.Builder
	for path, r := range roots {
		if len(r.Packages) == 0 {
			return nil, nil, fmt.Errorf("package %s has C code and is internal to its module: import a package that uses it and is not", path)
		}
		set.Packages = append(set.Packages, r.Packages...)
		set.Modules = append(set.Modules, r.Modules...)
		code = append(code, r.Code...)
		folders = append(folders, r.Folders...)
	}
	for _, path := range sortedKeys(roots) {
		fmt.Fprintln(&local, path, roots[path].Local)
	}
	set.Local = local.String()
	set.Packages = uniq(set.Packages)
	slices.SortFunc(set.Modules, func(a, b image.Module) int { return strings.Compare(a.Path, b.Path) })
	set.Modules = slices.Compact(set.Modules)
	for _, dir := range uniq(append(folders, m.dir)) {
		for _, name := range []string{"go.sum", "go.work.sum"} {
			if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				set.Sums = append(append(set.Sums, b...), '\n')
			}
		}
	}
	return set, uniq(code), nil
}

func uniq(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// findC lists what a package needs, with cgo, and returns nil if there is no C
// code in it.
func (m *Modules) findC(ctx context.Context, path string) (*cRoot, error) {
	key, keyErr := m.key(path)
	file := filepath.Join(m.cache, "packages", key+".c.json")
	var kept struct{ Root *cRoot }
	if b, err := os.ReadFile(file); keyErr == nil && err == nil && json.Unmarshal(b, &kept) == nil {
		return kept.Root, nil
	}
	list, err := m.completing(m.list)(ctx, true, "-deps", "--", path)
	if err != nil {
		return nil, err
	}
	key, keyErr = m.key(path) // go.mod may have been completed
	file = filepath.Join(m.cache, "packages", key+".c.json")
	r := &cRoot{}
	local := sha256.New()
	inFolder := false
	for _, p := range list {
		if p.Standard || p.Module == nil || p.Module.Path+"/" == own {
			continue
		}
		mod, isFolder := p.Module.chosen()
		if !slices.Contains(r.Modules, mod) {
			r.Modules = append(r.Modules, mod)
		}
		if isFolder {
			inFolder = true
			r.Folders = append(r.Folders, p.Module.Dir)
			fmt.Fprintln(local, p.ImportPath, hashFolder(p.Dir))
		}
		if len(p.CgoFiles) > 0 {
			r.Code = append(r.Code, p.ImportPath)
		}
		if (len(p.CgoFiles) > 0 || p.ImportPath == path) && !strings.Contains("/"+p.ImportPath+"/", "/internal/") {
			r.Packages = append(r.Packages, p.ImportPath)
		}
	}
	r.Folders = uniq(r.Folders)
	r.Local = hex.EncodeToString(local.Sum(nil)[:8])
	if len(r.Code) == 0 {
		r = nil
	}
	kept.Root = r
	if b, err := json.Marshal(kept); err == nil && keyErr == nil && !inFolder {
		m.keep(file, b)
	}
	return r, nil
}

// hashFolder names the content of a package's folder.
func hashFolder(dir string) string {
	h := sha256.New()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
			fmt.Fprintln(h, e.Name(), len(b))
			h.Write(b)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
