package modules

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/program/identity"
)

// Version returns a text that identifies the versions of a package and of all packages that it imports. Two programs
// in which these are the same have equal texts. It implements hashes.Versioner.
func (m *Modules) Version(path string) (string, error) {
	m.mu.Lock()
	dir, isBundled := m.dir, false
	if bundled, err := m.img.Archive(path); err == nil && bundled != "" && (dir == "" || !m.mayProvide(path)) {
		isBundled = true
	}
	env := m.environ(false)
	m.mu.Unlock()
	if isBundled {
		folder, err := m.libraryFolder()
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(folder)
		dir = folder
		env = append(env, "GOWORK=off", "GOFLAGS=-mod=mod")
	}
	cmd := exec.CommandContext(context.Background(), m.img.Toolchain.Go, "list", "-deps", "-json="+identity.ListFields, "--", path)
	cmd.Dir, cmd.Env = dir, append(env, "PWD="+dir)
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	return identity.Version(out)
}

// libraryFolder makes a folder with the go.mod of this project's module, which has the versions of the packages that the
// image was built with.
func (m *Modules) libraryFolder() (string, error) {
	folder, err := os.MkdirTemp("", "perijove-versions-")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := fs.ReadFile(m.img.Sources(), name)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		}
		if err != nil {
			_ = os.RemoveAll(folder) // a temporary folder
			return "", err
		}
	}
	return folder, nil
}
