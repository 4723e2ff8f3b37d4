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

// A localPackage is a package's source that is under edit: in the notebook's module,
// its workspace, or where a replace directive points.
type localPackage struct {
	dir         string
	fingerprint string // of its files, when the package was compiled
}

// fingerprint names the state of a package's files by their times and sizes.
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

// A Change is what became of packages since they were last looked at.
type Change struct {
	Edited []string // whose files changed, or which the module has in another version
	// Packages have another compiled form, or need one that has, in the order
	// of their dependencies.
	Packages       []string
	VersionChanged bool  // some are of another version, so nothing is the same
	Err            error // why the new sources cannot be used; the old form stays
}

// Live lists the packages that are under edit.
func (m *Modules) Live() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sortedKeys(m.localPackages)
}

// Beside reports whether the notebook lies in the folder that holds the internal one of a package's path, so that it may
// import that. The path is one that Archive has found.
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

// Refresh looks whether packages under edit have changed, and compiles them
// again if so. It returns nil if none has. progress is as in Prepare.
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
			return nil // what was imported goes on as it is; the next import tells
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

// hashModuleFiles names what decides about versions.
func (m *Modules) hashModuleFiles() string {
	key, err := m.cacheKey("")
	if err != nil {
		return err.Error()
	}
	return key
}
