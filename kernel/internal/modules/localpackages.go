package modules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A localPackage is a package whose files may change while go.mod does not: it is in
// the notebook's module, its workspace, or the folder of a replace directive.
type localPackage struct {
	dir         string
	fingerprint string // result of fingerprint when the package was compiled
}

// fingerprint returns a hash of the modification times and sizes of a package's files.
func fingerprint(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	h := sha256.New()
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if st, err := e.Info(); err == nil {
			fmt.Fprintln(h, e.Name(), st.Size(), st.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// A Change describes the packages that have changed since the last Refresh.
type Change struct {
	Edited []string // packages whose files have changed, or that now have another version
	// Packages lists the packages whose compiled form has changed, and the packages that depend on them. Dependencies
	// come first.
	Packages       []string
	VersionChanged bool  // packages outside of local folders now have another version
	Err            error // why the new sources cannot be compiled; the old compiled packages stay in use
}

// Live returns the import paths of the packages in local folders, which the user may edit.
func (m *Modules) Live() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sortedKeys(m.localPackages)
}

// Beside reports whether the notebook may import an internal package. By Go's rule, the notebook's folder must be
// inside the parent of the folder "internal". Archive must have found the package.
func (m *Modules) Beside(path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.localPackages[path]
	if f == nil {
		return false
	}
	i := strings.LastIndex(f.dir+"/", "/internal/")
	return i >= 0 && strings.HasPrefix(m.notebookDir+"/", f.dir[:i]+"/")
}

// Refresh compiles the local packages whose files have changed. It returns nil if no files have changed. It calls
// progress as Prepare does.
func (m *Modules) Refresh(ctx context.Context, progress func(CompileProgress)) *Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Change{}
	for _, path := range sortedKeys(m.localPackages) {
		f := m.localPackages[path]
		if now := fingerprint(f.dir); now != f.fingerprint {
			f.fingerprint = now
			c.Edited = append(c.Edited, path)
		}
	}
	state := m.moduleFilesHash
	if len(m.roots) > 0 {
		state = m.hashModuleFiles()
	}
	if c.Edited == nil && state == m.moduleFilesHash {
		return nil
	}
	m.moduleFilesHash = state
	list, err := m.listWithProgress(progress)(ctx, false, append([]string{"-export", "-deps", "--"}, sortedKeys(m.roots)...)...)
	if err != nil {
		if c.Edited == nil {
			return nil // imported packages stay in use; the next import returns the error
		}
		c.Err = err
		return c
	}
	for _, p := range list {
		if m.isInImage(p) {
			continue
		}
		old, known := m.archives[p.ImportPath]
		needs := slices.ContainsFunc(p.Imports, func(path string) bool { return slices.Contains(c.Packages, path) })
		if known && (old != p.Export || needs) {
			c.Packages = append(c.Packages, p.ImportPath)
			if !isLocal(p) && !needs {
				c.VersionChanged = true
				c.Edited = append(c.Edited, p.ImportPath)
			}
		}
		m.add(p)
	}
	if c.Packages == nil {
		return nil
	}
	return c
}

// hashModuleFiles returns a hash of the files that select module versions.
func (m *Modules) hashModuleFiles() string {
	key, err := m.cacheKey("")
	if err != nil {
		return err.Error()
	}
	return key
}
