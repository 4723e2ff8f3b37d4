package modules

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// workspace returns the folder of the go.work that the go command uses, or "" if there is none.
func (m *Modules) workspace() string {
	switch work := m.variable("GOWORK"); work {
	case "", "auto":
	case "off":
		return ""
	default:
		return filepath.Dir(work)
	}
	for dir := m.dir; dir != ""; {
		if isFile(filepath.Join(dir, "go.work")) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return ""
}

// members lists the folders of the workspace's modules, if the notebook is in the workspace but in none of its modules.
func (m *Modules) members() []string {
	if m.dir == "" || m.workspace() != m.dir || isFile(filepath.Join(m.dir, "go.mod")) {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(m.dir, "go.work"))
	if err != nil {
		return nil
	}
	f, err := modfile.ParseWork("go.work", b, nil)
	if err != nil {
		return nil
	}
	var list []string
	for _, u := range f.Use {
		folder := filepath.FromSlash(u.Path)
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(m.dir, folder)
		}
		list = append(list, folder)
	}
	return list
}

// getLine returns a line for a cell that gets packages for the first module of a workspace.
func getLine(members []string, paths ...string) string {
	if len(members) == 1 {
		return "%get " + strings.Join(paths, " ")
	}
	folder := members[0]
	if strings.ContainsAny(folder, " \t'\"\\$&;()<>|*?") {
		folder = "'" + strings.ReplaceAll(folder, "'", `'\''`) + "'"
	}
	return fmt.Sprintf("!go -C %s get %s", folder, strings.Join(paths, " "))
}

// isProvided reports whether a module that go.mod or go.work names has a package.
func (m *Modules) isProvided(ctx context.Context, path string) bool {
	list, err := m.list(ctx, false, "-e", "-find", "--", path)
	return err != nil || len(list) != 1 || list[0].Module != nil
}

// vendorDir returns the vendor folder that the go command uses, or "" if it uses the module cache.
func (m *Modules) vendorDir() string {
	for _, flag := range strings.Fields(m.variable("GOFLAGS")) {
		if name, value, _ := strings.Cut(strings.TrimLeft(flag, "-"), "="); name == "mod" && value != "vendor" {
			return ""
		}
	}
	root := m.workspace()
	if root == "" {
		root = m.dir
	}
	dir := filepath.Join(root, "vendor")
	if root == "" || !isFile(filepath.Join(dir, "modules.txt")) {
		return ""
	}
	return dir
}

// lacksVendored reports whether the go command uses a vendor folder that does not have the package.
func (m *Modules) lacksVendored(path string) bool {
	dir := m.vendorDir()
	if dir == "" || !HasDomain(path) {
		return false
	}
	for _, f := range readModules(m.dir) {
		if f.isOwn(path) {
			return false
		}
	}
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(path)))
	return err != nil
}

func (m *Modules) notVendored(dir, path string) error {
	get := ""
	if !m.mayProvide(path) {
		get = fmt.Sprintf("run  %%get %s , ", path)
	}
	return fmt.Errorf("package %s is not in %s, where the go command looks instead of the module cache: %simport the package in a Go file of the module and run  !go mod vendor , or remove the folder", path, dir, get)
}

// variable returns the value of an environment variable of the go command.
func (m *Modules) variable(name string) string {
	value := ""
	for _, entry := range m.environ(false) {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}

func isFile(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.Mode().IsRegular()
}
