package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A listFunc runs go list. The last argument is an import path.
type listFunc func(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error)

// listCompleting returns a listFunc that does what ask does, and also completes go.mod and go.sum. If these files lack
// lines for a package of a module that they name, it adds the lines, records a notice for the user, and lists again.
func (m *Modules) listCompleting(ask listFunc) listFunc {
	return func(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error) {
		list, err := ask(ctx, cgo, args...)
		if err == nil || ctx.Err() != nil {
			return list, err
		}
		path := args[len(args)-1]
		notice, failed := m.complete(ctx, path, moduleFile.requiresFor)
		switch {
		case failed == errNotRequired:
			return nil, m.notFound(path)
		case failed != nil:
			return nil, fmt.Errorf("%s; the kernel cannot complete go.mod and go.sum: %w", firstLines(err.Error()), failed)
		case notice == "":
			return nil, err
		}
		m.notices = append(m.notices, notice)
		return ask(ctx, cgo, args...)
	}
}

// errNotRequired is the error for a package in a module that no go.mod requires.
var errNotRequired = errors.New("none of the modules that go.mod names provides the package")

// Notices returns the notices for the user that were added since the last call.
func (m *Modules) Notices() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.notices
	m.notices = nil
	return list
}

// Complete adds the lines that go.mod and go.sum lack for a package, if a module that go.mod requires or replaces
// provides the package. It reports whether it has added any lines. Unlike Get, it does not change versions.
func (m *Modules) Complete(ctx context.Context, path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	notice, err := m.complete(ctx, path, func(f moduleFile, path string) bool { return f.requiresFor(path) || f.replacesFor(path) })
	return notice != "" && err == nil
}

// complete adds missing lines for a package to go.mod and go.sum, if mayHave reports that one of their modules may have
// the package. It returns a notice for the user, or "" if it has added none. The go command works on copies of the
// files, since it would also add modules that no go.mod requires.
func (m *Modules) complete(ctx context.Context, path string, mayHave func(moduleFile, string) bool) (notice string, err error) {
	if !m.mayComplete(path, mayHave) {
		return "", nil
	}
	before, err := readModuleFiles(m.dir)
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(m.scratch, "module-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := before.write(tmp); err != nil {
		return "", err
	}
	list, err := m.list(ctx, false, "-modfile="+filepath.Join(tmp, "go.mod"), "-mod=mod", "-deps", "--", path)
	if err != nil {
		return "", err
	}
	after, err := readModuleFiles(tmp)
	if err != nil || after == before {
		return "", err
	}
	if !isProvidedBy(list, path, readModule(m.dir)) {
		return "", errNotRequired
	}
	if now, err := readModuleFiles(m.dir); err != nil || now != before {
		return "", errors.Join(err, errors.New("go.mod or go.sum has changed while the kernel completed the file: run the cell again"))
	}
	if err := after.write(m.dir); err != nil {
		return "", err
	}
	return describeCompletion(before, after, path), nil
}

// mayComplete reports whether adding lines to go.mod or go.sum may be enough to list a package.
func (m *Modules) mayComplete(path string, mayHave func(moduleFile, string) bool) bool {
	if m.dir == "" || m.workspace() != "" || m.vendorDir() != "" { // workspaces and vendor folders have further files
		return false
	}
	f := readModule(m.dir)
	if f.isOwn(path) {
		st, err := os.Stat(filepath.Join(m.dir, filepath.FromSlash(strings.TrimPrefix(path, f.path))))
		if err == nil && st.IsDir() {
			return true
		}
	}
	return mayHave(f, path)
}

// isProvidedBy reports whether list has the package and a module that f names provides it.
func isProvidedBy(list []listedPackage, path string, f moduleFile) bool {
	i := slices.IndexFunc(list, func(p listedPackage) bool { return p.ImportPath == path })
	if i < 0 || list[i].Module == nil {
		return false
	}
	module := list[i].Module.Path
	return module == f.path || f.requires[module] != "" || slices.Contains(f.replaces, module)
}

// moduleFiles are the contents of go.mod and go.sum.
type moduleFiles struct{ mod, sum string }

func readModuleFiles(dir string) (moduleFiles, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return moduleFiles{}, err
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return moduleFiles{}, err
	}
	return moduleFiles{string(mod), string(sum)}, nil
}

// write writes the files, each atomically.
func (f moduleFiles) write(dir string) error {
	for _, file := range []struct{ name, text string }{{"go.sum", f.sum}, {"go.mod", f.mod}} {
		name := filepath.Join(dir, file.name)
		old, err := os.ReadFile(name)
		if err == nil && string(old) == file.text || errors.Is(err, os.ErrNotExist) && file.text == "" {
			continue
		}
		if err := replaceFile(name, []byte(file.text)); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile replaces a file atomically and keeps its mode.
func replaceFile(name string, b []byte) error {
	mode := os.FileMode(0o644)
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if st, err := os.Stat(name); err == nil {
		mode = st.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// describeCompletion returns a notice about the files that were completed.
func describeCompletion(before, after moduleFiles, path string) string {
	switch {
	case before.mod == after.mod:
		return "go.sum has been completed for " + path
	case before.sum == after.sum:
		return "go.mod has been completed for " + path
	}
	return "go.mod and go.sum have been completed for " + path
}

// firstLines returns the first lines of a long message of the go command.
func firstLines(text string) string {
	const most = 6
	lines := bytes.SplitAfterN([]byte(text), []byte("\n"), most+1)
	if len(lines) <= most {
		return text
	}
	n := bytes.Count(lines[most], []byte("\n")) + 1
	return string(bytes.Join(lines[:most], nil)) + fmt.Sprintf("and %d more lines", n)
}
