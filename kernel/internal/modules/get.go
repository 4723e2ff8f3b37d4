package modules

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/python"
)

// Get runs go get for paths, in the notebook's module if there is one, or else in a scratch
// module. It returns the output of go get.
func (m *Modules) Get(ctx context.Context, paths []string) (string, error) {
	for _, path := range paths {
		if other := python.Counterpart(path); other != "" {
			return "", fmt.Errorf("%s is a module of Python; the corresponding Go package is %s", path, other)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ensureModule(); err != nil {
		return "", err
	}
	dir := m.dir
	switch members := m.members(); {
	case len(members) == 1:
		dir = members[0]
	case len(members) > 1:
		return "", fmt.Errorf("%s is a workspace of %d modules: name the one that needs the module:  %s", m.dir, len(members), getLine(members, paths...))
	}
	cmd := exec.CommandContext(ctx, m.img.Toolchain.Go, append([]string{"get", "--"}, paths...)...)
	cmd.Dir = dir
	cmd.Env = append(m.environ(false), "PWD="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the command go get failed: %s", strings.TrimSpace(string(out)))
	}
	if dir := m.vendorDir(); dir != "" {
		return fmt.Sprintf("%s%s was not changed: import the packages in a Go file of the module, and run  !go mod vendor\n", out, dir), nil
	}
	return string(out), nil
}

// ensureModule makes a scratch module if there is no other.
func (m *Modules) ensureModule() error {
	if m.dir == "" && m.notebookDir != "" { // a go.mod may have been created since
		m.dir = findModule(m.notebookDir)
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
	m.dir, m.isScratch = dir, true
	return nil
}

// EnsureModule returns the module's folder, and whether the module is a scratch module. It makes a scratch module if
// there is no module.
func (m *Modules) EnsureModule() (dir string, scratch bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err = m.ensureModule()
	return m.dir, m.isScratch, err
}
