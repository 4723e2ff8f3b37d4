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

// A cgoRoot is an imported package that has C code or depends on such a package.
type cgoRoot struct {
	Packages []string // packages that the worker executable must import
	Code     []string // packages that contain the C code
	Modules  []image.Module
	Folders  []string // folders of the modules that have no version
	Local    string   // hash of the sources of packages in Folders
}

// CgoPackages looks for C code in the packages that a cell imports and their dependencies. set has the packages with
// which a new image must be built, and code the import paths of the packages with C code. If the image in use already
// has these packages, set is nil.
func (m *Modules) CgoPackages(ctx context.Context, imports []string) (set *image.CSet, code []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir == "" || os.Getenv("CGO_ENABLED") == "0" {
		return nil, nil, nil
	}
	roots := map[string]*cgoRoot{}
	for path, r := range m.cgoRoots {
		roots[path] = r
	}
	candidates := m.cgoCandidates(imports)
	listed := m.listCgoDeps(ctx, candidates)
	for _, path := range candidates {
		r, err := m.findCgo(ctx, path, listed[path])
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			// Archive fails for the same reason, with the position of the import.
		case r != nil:
			roots[path] = r
		default:
			delete(roots, path)
		}
	}
	if set, code, err = m.mergeCgoRoots(roots); err != nil || set == nil || set.Key() == m.cgoKey {
		return nil, nil, err
	}
	return set, code, nil
}

// cgoCandidates lists the imported packages that may have C code. If there are any, it adds the packages with which the
// image in use was built, since the module may require other versions of them now. Packages in local folders are
// checked only when a cell imports them.
func (m *Modules) cgoCandidates(imports []string) []string {
	list := slices.DeleteFunc(slices.Clone(imports), func(path string) bool { return !m.isExternal(path) })
	if len(list) == 0 {
		return nil
	}
	for _, path := range sortedKeys(m.cgoRoots) {
		if len(m.cgoRoots[path].Folders) == 0 && !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// isExternal reports whether the package of an import path may come from the notebook's
// module rather than the image.
func (m *Modules) isExternal(path string) bool {
	if _, registered := m.registered[path]; registered || path == "C" || strings.HasPrefix(path, libraryModule) {
		return false
	}
	if _, err := m.img.Archive(path); err == nil && m.cgoRoots[path] == nil {
		return false
	}
	return HasDomain(path) || m.mayProvide(path)
}

// SetImage switches to an image that was built with set. It forgets all resolved packages,
// since they must be compiled with cgo from now on.
func (m *Modules) SetImage(img *image.Image, set *image.CSet) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.img, m.cgoKey = img, set.Key()
	m.cgoRoots = m.newCgoRoots
	m.forgetPackages()
}

// ReplaceImage switches to an image with the same packages, such as one with the race detector. It forgets all
// resolved packages, since they must be compiled in the way of the new image from now on.
func (m *Modules) ReplaceImage(img *image.Image) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.img = img
	m.forgetPackages()
}

// forgetPackages forgets all resolved packages. The caller holds mu.
func (m *Modules) forgetPackages() {
	m.archives, m.names = map[string]string{}, map[string]string{}
	m.localPackages, m.roots = map[string]*localPackage{}, map[string]bool{}
	for path, archive := range m.registered {
		m.archives[path], m.names[path] = archive, ""
	}
}

// mergeCgoRoots returns one set for all roots, and the packages with C code.
func (m *Modules) mergeCgoRoots(roots map[string]*cgoRoot) (*image.CSet, []string, error) {
	if len(roots) == 0 {
		return nil, nil, nil
	}
	m.newCgoRoots = roots
	set := &image.CSet{}
	var code, folders []string
	var local strings.Builder
	for path, r := range roots {
		if len(r.Packages) == 0 {
			return nil, nil, fmt.Errorf("package %s has C code and is internal to its module: import a package of the module that is not internal", path)
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
	set.Packages = sortedUnique(set.Packages)
	slices.SortFunc(set.Modules, func(a, b image.Module) int { return strings.Compare(a.Path, b.Path) })
	set.Modules = slices.Compact(set.Modules)
	for _, dir := range sortedUnique(append(folders, m.dir)) {
		for _, name := range []string{"go.sum", "go.work.sum"} {
			if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				set.Sums = append(append(set.Sums, b...), '\n')
			}
		}
	}
	return set, sortedUnique(code), nil
}

func sortedUnique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// listCgoDeps returns the dependencies, with cgo, of those packages whose C code is not
// cached, by import path. It returns nil if there is only one such package, or if the go
// command does not find all of them.
func (m *Modules) listCgoDeps(ctx context.Context, paths []string) map[string][]listedPackage {
	unknown := slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, known := m.cachedCgo(path)
		return known
	})
	if len(unknown) < 2 {
		return nil
	}
	list, err := m.list(ctx, true, append([]string{"-deps", "--"}, unknown...)...)
	if err != nil {
		return nil
	}
	parts := map[string][]listedPackage{}
	for _, path := range unknown {
		parts[path] = closure(list, path)
	}
	return parts
}

// findCgo returns the cgoRoot of a package, or nil if neither the package nor its
// dependencies have C code. list has its dependencies, with cgo. If list is empty, findCgo
// runs the go command.
func (m *Modules) findCgo(ctx context.Context, path string, list []listedPackage) (*cgoRoot, error) {
	if r, known := m.cachedCgo(path); known {
		return r, nil
	}
	if len(list) == 0 {
		var err error
		if list, err = m.listCompleting(m.list)(ctx, true, "-deps", "--", path); err != nil {
			return nil, err
		}
	}
	r := newCgoRoot(list, path)
	inFolders := len(r.Folders) > 0
	if len(r.Code) == 0 {
		r = nil
	}
	key, keyErr := m.cacheKey(path) // after listing, which may have completed go.mod
	if b, err := json.Marshal(cachedCgoRoot{r}); err == nil && keyErr == nil && !inFolders {
		m.writeCache(m.answerFile(key+".c"), b)
	}
	return r, nil
}

// A cachedCgoRoot is the cached result of findCgo.
type cachedCgoRoot struct{ Root *cgoRoot }

func (m *Modules) cachedCgo(path string) (r *cgoRoot, known bool) {
	key, err := m.cacheKey(path)
	if err != nil {
		return nil, false
	}
	var kept cachedCgoRoot
	b, err := os.ReadFile(m.answerFile(key + ".c"))
	known = err == nil && json.Unmarshal(b, &kept) == nil
	return kept.Root, known
}

// newCgoRoot returns the cgoRoot of a package with the dependencies in list.
func newCgoRoot(list []listedPackage, path string) *cgoRoot {
	r := &cgoRoot{}
	local := sha256.New()
	for _, p := range list {
		if p.Standard || p.Module == nil || p.Module.Path+"/" == libraryModule {
			continue
		}
		mod, isFolder := p.Module.source()
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
	r.Folders = sortedUnique(r.Folders)
	r.Local = hex.EncodeToString(local.Sum(nil)[:8])
	return r
}

// hashFolder returns a hash of the files of a package's folder, or an error text.
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
