// Package modules finds the packages beyond the image that a notebook imports:
// those of the module or workspace that the notebook lies in, else of a
// scratch module that %get fills. It asks the go command once per import path
// and state of the module, and keeps the answer for other notebooks.
package modules

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/image"
)

// Modules implements program.Importer for one notebook.
type Modules struct {
	img   *image.Image
	cache string // for answers of the go command; shared by all notebooks

	mu              sync.Mutex
	notebookDir     string                   // the notebook's folder
	env             []string                 // NAME=VALUE, for the go command
	dir             string                   // of the module; "" until there is one
	scratch         string                   // where a scratch module may be made
	isScratch       bool                     // dir is the scratch module
	archives        map[string]string        // packages beyond the image, or other than its own
	names           map[string]string        // their names
	registered      map[string]string        // those of Use
	cgoRoots        map[string]*cgoRoot      // what the image in use was built with, by import path
	newCgoRoots     map[string]*cgoRoot      // what the image that CPackages last asked for is built with
	cgoKey          string                   // of the image in use
	localPackages   map[string]*localPackage // packages that may change without notice, by import path
	roots           map[string]bool          // import paths that were resolved
	failed          map[string]error         // and those that could not be, for the running cell
	currentDir      string                   // the folder that %cd has gone into last; "" for none
	switchTo        string                   // the folder of a module that Restart goes over to
	notices         []string                 // what a cell is to tell
	moduleFilesHash string                   // of the module's files when that was
	configs         map[string]string        // importcfg files by content hash
}

// New returns the packages for a notebook in folder dir. A scratch module, if
// one is needed, is made in scratch.
func New(img *image.Image, dir, scratch, cache string) *Modules {
	m := &Modules{img: img, cache: cache, scratch: scratch, archives: map[string]string{}, names: map[string]string{}, registered: map[string]string{}, localPackages: map[string]*localPackage{}, roots: map[string]bool{}, failed: map[string]error{}, configs: map[string]string{}}
	if dir, err := filepath.Abs(dir); err == nil {
		m.notebookDir, m.dir = dir, findModule(dir)
	}
	return m
}

// Register makes a compiled package known under its import path.
func (m *Modules) Register(path, archive string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archives[path], m.registered[path], m.names[path] = archive, archive, ""
}

// Setenv sets a variable for the go command. What images are made of stays: then
// it reports false.
func (m *Modules) Setenv(name, value string) bool {
	if image.Fixed(name) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.env = append(m.env, name+"="+value)
	return true
}

// environ is the go command's environment. Of a variable that is set twice the
// last value counts.
func (m *Modules) environ(cgo bool) []string { return append(m.img.Environ(m.dir, cgo), m.env...) }

// findModule returns the nearest folder, from dir up, with a go.mod or go.work.
func findModule(dir string) string {
	for {
		for _, name := range []string{"go.work", "go.mod"} {
			if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
				return dir
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// libraryModule is the module of the library that the worker is built with. The worker
// and the cells must share it, so it is always the image's: a second copy would
// not be connected to anything.
const libraryModule = "github.com/perijove/perijove/"

// Archive returns the compiled package of an import path. It may ask the go
// command, but changes nothing in the module.
func (m *Modules) Archive(path string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.archive(path, func() error { return m.resolve(context.Background(), path, m.list) })
}

// archive returns the compiled package of an import path. resolve is called
// where it is not known yet.
func (m *Modules) archive(path string, resolve func() error) (string, error) {
	if f, err, ok := m.lookup(path); ok {
		return f, err
	}
	if err := m.failed[path]; err != nil {
		return "", err
	}
	if err := resolve(); err != nil {
		return "", err
	}
	if f, ok := m.archives[path]; ok {
		return f, nil
	}
	// Where it is bundled the module says which version it wants; that may be the image's.
	if bundled, err := m.img.Archive(path); err == nil {
		return bundled, nil
	}
	return "", m.notFound(path)
}

// lookup is archive as far as the go command need not be asked; ok reports
// whether that is so.
func (m *Modules) lookup(path string) (file string, err error, ok bool) {
	if f, ok := m.archives[path]; ok {
		return f, nil, true
	}
	bundled, err := m.img.Archive(path)
	if err == nil && (strings.HasPrefix(path, libraryModule) || m.dir == "" || !m.mayProvide(path)) {
		return bundled, nil, true
	}
	if m.dir == "" && m.notebookDir != "" { // somebody may have made a go.mod since
		m.dir = findModule(m.notebookDir)
	}
	if m.dir == "" || bundled == "" && !HasDomain(path) && !m.mayProvide(path) {
		return "", m.notFound(path), true
	}
	return "", nil, false
}

// notFound says how to come by a package.
func (m *Modules) notFound(path string) error {
	if other := m.otherModule(path); other != "" {
		m.switchTo = other
		return fmt.Errorf("package %s is one of the module in %s, and this notebook has packages of the module in %s already: %%restart goes over to the other module", path, other, m.dir)
	}
	if HasDomain(path) {
		if dir := m.vendorDir(); dir != "" {
			return m.notVendored(dir, path)
		}
		if members := m.members(); len(members) > 1 {
			return fmt.Errorf("package %s is not available here; to get it for a module of the workspace:  %s", path, getLine(members, path))
		}
	}
	return notFound(path)
}

// HasDomain reports whether an import path cannot be one of the standard library: the go command reserves paths whose
// first element has no dot.
func HasDomain(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func notFound(path string) error {
	first, _, _ := strings.Cut(path, "/")
	if first == "." || first == ".." {
		return fmt.Errorf("%q: relative imports do not exist with modules; a package of this folder is imported by the module's path in go.mod and its own", path)
	}
	if !strings.Contains(first, ".") {
		return fmt.Errorf("package %s is not in the standard library", path)
	}
	return fmt.Errorf("package %s is not available here; to get it:  %%get %s", path, path)
}

// mayProvide reports whether the module's files name a module that may have the
// package: that itself, one that it requires, or one that is replaced.
func (m *Modules) mayProvide(path string) bool {
	return slices.ContainsFunc(readModules(m.dir), func(f moduleFile) bool {
		return f.isOwn(path) || f.requiresFor(path) || f.replacesFor(path)
	})
}

// isInImage reports whether a package is the image's own.
func (m *Modules) isInImage(p listedPackage) bool {
	if p.Export == "" || p.Standard {
		return true
	}
	bundled, err := m.img.Archive(p.ImportPath)
	return err == nil && (strings.HasPrefix(p.ImportPath, libraryModule) || sameFile(bundled, p.Export))
}

// add makes a package known.
func (m *Modules) add(p listedPackage) {
	m.archives[p.ImportPath], m.names[p.ImportPath] = p.Export, p.Name
	if isLocal(p) {
		m.localPackages[p.ImportPath] = &localPackage{p.Dir, fingerprint(p.Dir)}
	}
}

// sameFile compares two compiled packages.
func sameFile(a, b string) bool {
	sa, err1 := os.Stat(a)
	sb, err2 := os.Stat(b)
	if err1 != nil || err2 != nil || sa.Size() != sb.Size() {
		return false
	}
	if os.SameFile(sa, sb) {
		return true
	}
	x, err1 := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// Dir is the module's folder, "" if there is none.
func (m *Modules) Dir() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dir
}

// Packages returns the names of the packages that are at hand by import path: the image's, and those found beyond it.
func (m *Modules) Packages() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := maps.Clone(m.img.Packages())
	maps.Copy(list, m.names)
	return list
}
