// Package modules finds packages that a notebook imports and the image does not have. They
// come from the module or workspace that contains the notebook, or else from a scratch
// module to which %get adds requirements. The package runs the go command once per import
// path and state of the module files, and caches the answers for all notebooks.
package modules

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/python"
)

// Modules implements program.Importer for one notebook. Its methods can be called
// concurrently.
type Modules struct {
	img   *image.Image
	cache string // folder for answers of the go command; shared by all notebooks

	mu              sync.Mutex
	notebookDir     string                   // the notebook's folder
	env             []string                 // NAME=VALUE, for the go command
	dir             string                   // folder of the module; "" until there is one
	scratch         string                   // folder in which a scratch module is made
	isScratch       bool                     // dir is the scratch module
	archives        map[string]string        // compiled packages that the image does not have, or has in another version
	names           map[string]string        // names of these packages
	registered      map[string]string        // archives passed to Register
	cgoRoots        map[string]*cgoRoot      // roots with which the image in use was built, by import path
	newCgoRoots     map[string]*cgoRoot      // roots of the last set that CgoPackages returned, by import path
	cgoKey          string                   // key of the set with which the image in use was built
	localPackages   map[string]*localPackage // the packages in local folders, by import path
	roots           map[string]bool          // import paths that were resolved
	failed          map[string]error         // errors of imports in the running cell, by import path
	currentDir      string                   // the folder of the last %cd; "" for none
	switchTo        string                   // the folder of the module for SwitchModule
	notices         []string                 // returned by Notices
	moduleFilesHash string                   // result of hashModuleFiles when roots were resolved
	configs         map[string]string        // importcfg files by content hash
	thinUsers       map[string]bool          // results of usesThin, by file name of the archive

	offer offer
}

// New returns a Modules for a notebook in folder dir. If a scratch module is needed, it is
// made in the folder scratch. Answers of the go command are cached in the folder cache.
func New(img *image.Image, dir, scratch, cache string) *Modules {
	m := &Modules{img: img, cache: cache, scratch: scratch, archives: map[string]string{}, names: map[string]string{}, registered: map[string]string{}, localPackages: map[string]*localPackage{}, roots: map[string]bool{}, failed: map[string]error{}, configs: map[string]string{}, thinUsers: map[string]bool{}}
	if dir, err := filepath.Abs(dir); err == nil {
		m.notebookDir, m.dir = dir, findModule(dir)
	}
	return m
}

// Register adds a compiled package under its import path.
func (m *Modules) Register(path, archive string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archives[path], m.registered[path], m.names[path] = archive, archive, ""
	clear(m.thinUsers) // there may have been another archive with this name
}

// Setenv sets an environment variable for the go command. If images depend on the variable, Setenv does not set it
// and returns false.
func (m *Modules) Setenv(name, value string) bool {
	if image.Fixed(name) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.env = append(m.env, name+"="+value)
	return true
}

// environ returns the go command's environment. If a variable is set twice, the
// last value counts.
func (m *Modules) environ(cgo bool) []string { return append(m.img.Environ(m.dir, cgo), m.env...) }

// findModule returns the nearest folder, from dir upwards, with a go.mod or go.work.
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

// libraryModule is the prefix of the import paths of this project's packages. The worker process is built with the
// packages of this project's library. Cells always use the image's copy of the library, since they share the library's
// variables with the worker process.
const libraryModule = "github.com/perijove/perijove/"

// Archive returns the file of the compiled package with an import path. It may run the go command. It does not change
// the module.
func (m *Modules) Archive(path string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.archive(path, func() error { return m.resolve(context.Background(), path, m.list) })
}

// archive returns the file of the compiled package of an import path. It calls
// resolve if the package is not known yet.
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
	// The image has the version that the module requires.
	if bundled, err := m.img.Archive(path); err == nil {
		return bundled, nil
	}
	return "", m.notFound(path)
}

// lookup does what archive does, but does not run the go command. ok is false if the go command must run.
func (m *Modules) lookup(path string) (file string, err error, ok bool) {
	if f, ok := m.archives[path]; ok {
		return f, nil, true
	}
	bundled, err := m.img.Archive(path)
	if err == nil && (strings.HasPrefix(path, libraryModule) || m.dir == "" || !m.mayProvide(path)) {
		return bundled, nil, true
	}
	if m.dir == "" && m.notebookDir != "" { // a go.mod may have been created since
		m.dir = findModule(m.notebookDir)
	}
	if m.dir == "" || bundled == "" && !HasDomain(path) && !m.mayProvide(path) {
		return "", m.notFound(path), true
	}
	return "", nil, false
}

// notFound returns the error for a package that is not available. The error says how
// to get the package.
func (m *Modules) notFound(path string) error {
	if other := m.otherModule(path); other != "" {
		m.switchTo = other
		return fmt.Errorf("package %s is in the module in %s, and this notebook uses packages of the module in %s: %%restart switches to the other module", path, other, m.dir)
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

// HasDomain reports whether the first element of an import path has a dot. The go command reserves paths without a
// dot there for the standard library.
func HasDomain(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func notFound(path string) error {
	first, _, _ := strings.Cut(path, "/")
	if first == "." || first == ".." {
		return fmt.Errorf("cannot import %q: relative imports do not work in modules; write the module's path from go.mod, then the folder", path)
	}
	if other := python.Counterpart(first); other != "" {
		return fmt.Errorf("package %s is not in the standard library: it is a module of Python; the corresponding Go package is %s", path, other)
	}
	if !strings.Contains(first, ".") {
		return fmt.Errorf("package %s is not in the standard library: check its name, or write the whole path of a package of a module", path)
	}
	return fmt.Errorf("package %s is not available here; to get it:  %%get %s", path, path)
}

// mayProvide reports whether the module files name a module that may have the package: the
// module itself, one that it requires, or one that it replaces.
func (m *Modules) mayProvide(path string) bool {
	return slices.ContainsFunc(readModules(m.dir), func(f moduleFile) bool {
		return f.isOwn(path) || f.requiresFor(path) || f.replacesFor(path)
	})
}

// isInImage reports whether the image's compiled package is to be used for p: it is equal, or p belongs to the library
// or the standard library.
func (m *Modules) isInImage(p listedPackage) bool {
	if p.Export == "" || p.Standard {
		return true
	}
	bundled, err := m.img.Archive(p.ImportPath)
	return err == nil && (strings.HasPrefix(p.ImportPath, libraryModule) || sameFile(bundled, p.Export))
}

// add adds a listed package.
func (m *Modules) add(p listedPackage) {
	m.archives[p.ImportPath], m.names[p.ImportPath] = p.Export, p.Name
	if isLocal(p) {
		m.localPackages[p.ImportPath] = &localPackage{p.Dir, fingerprint(p.Dir)}
	}
}

// sameFile reports whether two compiled packages are equal.
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

// Dir returns the module's folder, or "" if there is none.
func (m *Modules) Dir() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dir
}
