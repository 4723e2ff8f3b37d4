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

// A folder is a package's source that is under edit: in the notebook's module,
// its workspace, or where a replace directive points.
type folder struct {
	dir   string
	stamp string // of its files, when the package was compiled
}

// stamp names the state of a package's files by their times and sizes.
func stamp(dir string) string {
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
	Packages []string
	Other    bool  // some are of another version, so nothing is the same
	Err      error // why the new sources cannot be used; the old form stays
}

// Live lists the packages that are under edit.
func (m *Modules) Live() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sortedKeys(m.folders)
}

// Beside reports whether the notebook lies in the folder that holds the internal one of a package's path, so that it may
// import that. The path is one that Archive has found.
func (m *Modules) Beside(path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.folders[path]
	if f == nil {
		return false
	}
	i := strings.LastIndex(f.dir+"/", "/internal/")
	return i >= 0 && strings.HasPrefix(m.from+"/", f.dir[:i]+"/")
}

// Refresh looks whether packages under edit have changed, and compiles them
// again if so. It returns nil if none has. progress is as in Prepare.
func (m *Modules) Refresh(ctx context.Context, progress func(Compiling)) *Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Change{}
	for _, path := range sortedKeys(m.folders) {
		f := m.folders[path]
		if now := stamp(f.dir); now != f.stamp {
			f.stamp = now
			c.Edited = append(c.Edited, path)
		}
	}
	state := m.state
	if len(m.roots) > 0 {
		state = m.moduleState()
	}
	if c.Edited == nil && state == m.state {
		return nil
	}
	m.state = state
	list, err := m.compiling(progress)(ctx, false, append([]string{"-export", "-deps", "--"}, sortedKeys(m.roots)...)...)
	if err != nil {
		if c.Edited == nil {
			return nil // what was imported goes on as it is; the next import tells
		}
		c.Err = err
		return c
	}
	for _, p := range list {
		if m.ofImage(p) {
			continue
		}
		old, known := m.archives[p.ImportPath]
		needs := slices.ContainsFunc(p.Imports, func(path string) bool { return slices.Contains(c.Packages, path) })
		if known && (old != p.Export || needs) {
			c.Packages = append(c.Packages, p.ImportPath)
			if !inFolder(p) && !needs {
				c.Other = true
				c.Edited = append(c.Edited, p.ImportPath)
			}
		}
		m.take(p)
	}
	if c.Packages == nil {
		return nil
	}
	return c
}

// moduleState names what decides about versions.
func (m *Modules) moduleState() string {
	key, err := m.key("")
	if err != nil {
		return err.Error()
	}
	return key
}
