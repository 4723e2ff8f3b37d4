// Package modules finds the packages beyond the image that a notebook imports:
// those of the module or workspace that the notebook lies in, else of a
// scratch module that %get fills. It asks the go command once per import path
// and state of the module, and keeps the answer for other notebooks.
package modules

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
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

	mu       sync.Mutex
	from     string             // the notebook's folder
	env      []string           // NAME=VALUE, for the go command
	dir      string             // of the module; "" until there is one
	scratch  string             // where a scratch module may be made
	own      bool               // dir is the scratch module
	archives map[string]string  // packages beyond the image, or other than its own
	names    map[string]string  // their names
	given    map[string]string  // those of Use
	cRoots   map[string]*cRoot  // what the image in use was built with, by import path
	found    map[string]*cRoot  // what the image that CPackages last asked for is built with
	cKey     string             // of the image in use
	folders  map[string]*folder // packages that may change without notice, by import path
	roots    map[string]bool    // import paths that were resolved
	failed   map[string]error   // and those that could not be, for the running cell
	entered  string             // the folder that %cd has gone into last; "" for none
	wanted   string             // the folder of a module that Restart goes over to
	notices  []string           // what a cell is to tell
	state    string             // of the module's files when that was
	configs  map[string]string  // importcfg files by content hash
}

// New returns the packages for a notebook in folder dir. A scratch module, if
// one is needed, is made in scratch.
func New(img *image.Image, dir, scratch, cache string) *Modules {
	m := &Modules{img: img, cache: cache, scratch: scratch, archives: map[string]string{}, names: map[string]string{}, given: map[string]string{}, folders: map[string]*folder{}, roots: map[string]bool{}, failed: map[string]error{}, configs: map[string]string{}}
	if dir, err := filepath.Abs(dir); err == nil {
		m.from, m.dir = dir, findModule(dir)
	}
	return m
}

// Use makes a compiled package known under its import path.
func (m *Modules) Use(path, archive string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archives[path], m.given[path], m.names[path] = archive, archive, ""
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

// own is the module of the library that the worker is built with. The worker
// and the cells must share it, so it is always the image's: a second copy would
// not be connected to anything.
const own = "github.com/perijove/perijove/"

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
	if f, err, ok := m.known(path); ok {
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

// known is archive as far as the go command need not be asked; ok reports
// whether that is so.
func (m *Modules) known(path string) (file string, err error, ok bool) {
	if f, ok := m.archives[path]; ok {
		return f, nil, true
	}
	bundled, err := m.img.Archive(path)
	if err == nil && (strings.HasPrefix(path, own) || m.dir == "" || !m.mentions(path)) {
		return bundled, nil, true
	}
	if m.dir == "" && m.from != "" { // somebody may have made a go.mod since
		m.dir = findModule(m.from)
	}
	if m.dir == "" || bundled == "" && !HasDomain(path) && !m.mentions(path) {
		return "", m.notFound(path), true
	}
	return "", nil, false
}

// notFound says how to come by a package.
func (m *Modules) notFound(path string) error {
	if other := m.otherModule(path); other != "" {
		m.wanted = other
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

// mentions reports whether the module's files name a module that may have the
// package: that itself, one that it requires, or one that is replaced.
func (m *Modules) mentions(path string) bool {
	return slices.ContainsFunc(readModules(m.dir), func(f moduleFile) bool {
		return f.isOwn(path) || f.requiresFor(path) || f.replacesFor(path)
	})
}

// ofImage reports whether a package is the image's own.
func (m *Modules) ofImage(p resolved) bool {
	if p.Export == "" || p.Standard {
		return true
	}
	bundled, err := m.img.Archive(p.ImportPath)
	return err == nil && (strings.HasPrefix(p.ImportPath, own) || sameFile(bundled, p.Export))
}

// take makes a package known.
func (m *Modules) take(p resolved) {
	m.archives[p.ImportPath], m.names[p.ImportPath] = p.Export, p.Name
	if inFolder(p) {
		m.folders[p.ImportPath] = &folder{p.Dir, stamp(p.Dir)}
	}
}

func allExist(list []resolved) bool {
	for _, p := range list {
		if p.Export == "" {
			continue
		}
		if _, err := os.Stat(p.Export); err != nil {
			return false
		}
	}
	return len(list) > 0
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

// key names the answer for a path in this state of the module.
func (m *Modules) key(path string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, m.img.Dir, path)
	found := false
	for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum"} {
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		found = found || err == nil
		fmt.Fprintln(h, name, len(b))
		h.Write(b)
	}
	if !found {
		return "", errors.New("no go.mod")
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// Get adds modules, as go get does: to the notebook's module if there is one,
// else to a scratch module. It returns what go get said.
func (m *Modules) Get(ctx context.Context, paths []string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.provide(); err != nil {
		return "", err
	}
	dir := m.dir
	switch members := m.members(); {
	case len(members) == 1:
		dir = members[0]
	case len(members) > 1:
		return "", fmt.Errorf("%s is a workspace of %d modules, and a module is got for one of them:  %s", m.dir, len(members), getLine(members, paths...))
	}
	cmd := exec.CommandContext(ctx, m.img.Toolchain.Go, append([]string{"get", "--"}, paths...)...)
	cmd.Dir = dir
	cmd.Env = append(m.environ(false), "PWD="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go get: %s", strings.TrimSpace(string(out)))
	}
	if dir := m.vendorDir(); dir != "" {
		return fmt.Sprintf("%s%s stays as it is: import the packages in a Go file of the module, and run  !go mod vendor\n", out, dir), nil
	}
	return string(out), nil
}

// provide makes the scratch module if there is none that the notebook lies in.
func (m *Modules) provide() error {
	if m.dir == "" && m.from != "" { // somebody may have made a go.mod since
		m.dir = findModule(m.from)
	}
	if m.dir != "" {
		return nil
	}
	dir := filepath.Join(m.scratch, "module")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lang := strings.TrimPrefix(m.img.Toolchain.Lang(), "go")
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module notebook\n\ngo "+lang+"\n"), 0o644); err != nil {
		return err
	}
	m.dir, m.own = dir, true
	return nil
}

// Provide returns the module's folder, and whether it is that of a scratch
// module, which it makes if there is no other.
func (m *Modules) Provide() (dir string, scratch bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err = m.provide()
	return m.dir, m.own, err
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

// Importcfg returns a file that covers the image's packages and those found
// beyond it.
func (m *Modules) Importcfg(paths []string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.archives) == 0 {
		return m.img.Importcfg(paths)
	}
	b, err := os.ReadFile(m.img.ImportcfgFile())
	if err != nil {
		return "", err
	}
	var cfg bytes.Buffer
	for line := range bytes.Lines(b) {
		path, _, _ := strings.Cut(strings.TrimPrefix(string(line), "packagefile "), "=")
		if _, other := m.archives[path]; !other {
			cfg.Write(line)
		}
	}
	cfg.WriteString(m.lines())
	return m.write(cfg.Bytes())
}

// Extra returns an importcfg file with the packages that are not the image's,
// for the worker; "" if there are none.
func (m *Modules) Extra() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.archives) == 0 {
		return "", nil
	}
	return m.write([]byte(m.lines()))
}

func (m *Modules) lines() string {
	var b strings.Builder
	for _, p := range sortedKeys(m.archives) {
		fmt.Fprintf(&b, "packagefile %s=%s\n", p, m.archives[p])
	}
	return b.String()
}

func (m *Modules) write(b []byte) (string, error) {
	sum := sha256.Sum256(b)
	key := hex.EncodeToString(sum[:8])
	if f := m.configs[key]; f != "" {
		return f, nil
	}
	file := filepath.Join(m.scratch, "importcfg-"+key)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return "", err
	}
	m.configs[key] = file
	return file, nil
}
