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
	candidates := m.cCandidates(imports)
	listed := m.listTogether(ctx, candidates)
	for _, path := range candidates {
		r, err := m.findC(ctx, path, listed[path])
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

// listTogether lists what packages need, with cgo, by their paths: those of which
// that is not known, if they are several and the go command finds them all.
func (m *Modules) listTogether(ctx context.Context, paths []string) map[string][]resolved {
	unknown := slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, known := m.keptC(path)
		return known
	})
	if len(unknown) < 2 {
		return nil
	}
	list, err := m.list(ctx, true, append([]string{"-deps", "--"}, unknown...)...)
	if err != nil {
		return nil
	}
	parts := map[string][]resolved{}
	for _, path := range unknown {
		parts[path] = closure(list, path)
	}
	return parts
}

// findC finds out what C code is in a package and what it needs: nil if there is
// none. list is what it needs, with cgo; if that is empty the go command is asked.
func (m *Modules) findC(ctx context.Context, path string, list []resolved) (*cRoot, error) {
	if r, known := m.keptC(path); known {
		return r, nil
	}
	if len(list) == 0 {
		var err error
		if list, err = m.completing(m.list)(ctx, true, "-deps", "--", path); err != nil {
			return nil, err
		}
	}
	r := newCRoot(list, path)
	inFolders := len(r.Folders) > 0
	if len(r.Code) == 0 {
		r = nil
	}
	key, keyErr := m.key(path) // of what go.mod is now: it may have been completed
	if b, err := json.Marshal(keptC{r}); err == nil && keyErr == nil && !inFolders {
		m.keep(m.answerFile(key+".c"), b)
	}
	return r, nil
}

// A keptC is what is kept of a package for this state of the module.
type keptC struct{ Root *cRoot }

func (m *Modules) keptC(path string) (r *cRoot, known bool) {
	key, err := m.key(path)
	if err != nil {
		return nil, false
	}
	var kept keptC
	b, err := os.ReadFile(m.answerFile(key + ".c"))
	known = err == nil && json.Unmarshal(b, &kept) == nil
	return kept.Root, known
}

// newCRoot collects what an image must have for a package that needs those of a
// list.
func newCRoot(list []resolved, path string) *cRoot {
	r := &cRoot{}
	local := sha256.New()
	for _, p := range list {
		if p.Standard || p.Module == nil || p.Module.Path+"/" == own {
			continue
		}
		mod, isFolder := p.Module.chosen()
		if !slices.Contains(r.Modules, mod) {
			r.Modules = append(r.Modules, mod)
		}
		if isFolder {
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
	return r
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
