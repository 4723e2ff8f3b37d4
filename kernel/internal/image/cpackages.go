package image

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
	"slices"
	"strings"
)

// A CSet is a set of packages that contain or depend on C code, with the modules that provide them. C code cannot be
// loaded into a running process. So an image is built that contains these packages.
type CSet struct {
	// Packages are the import paths that the worker executable imports, sorted.
	Packages []string
	// Modules provide the packages and everything on which the packages depend.
	Modules []Module
	// Sums are the lines of a go.sum file for the modules.
	Sums []byte
	// Local is a hash of the sources in those modules that have no version, since they are in local folders.
	Local string
}

// A Module is a module in the version that the go command has selected.
type Module struct {
	Path    string
	Version string // "" for a module in a local folder
	// With is the replacement of the module, a folder or path@version; "" for none.
	With string
}

// Key returns a hash of the set and of the environment variables for compiling C code.
func (c *CSet) Key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n%q\n%q\n", c.Packages, c.Modules, c.Local)
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "CGO_") || slices.Contains([]string{"CC", "CXX", "PKG_CONFIG", "PKG_CONFIG_PATH"}, name) {
			fmt.Fprintln(h, v)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// addCPackages adds the packages with C code to the module in which the worker executable is built, in the versions
// that the notebook requires.
func (b *builder) addCPackages() error {
	c := b.opt.C
	if c == nil {
		return nil
	}
	if err := b.tc.findCCompiler(b.ctx, b.src("")); err != nil {
		return err
	}
	args := []string{"mod", "edit"}
	for _, m := range c.Modules {
		version := m.Version
		if version == "" {
			version = "v0.0.0-00010101000000-000000000000" // the version that go mod tidy writes for a replaced module
		}
		args = append(args, "-require="+m.Path+"@"+version)
		if m.With != "" {
			args = append(args, "-replace="+m.Path+"="+m.With)
		}
	}
	if _, err := b.goCommand(args...); err != nil {
		return err
	}
	sums, err := os.ReadFile(b.src("go.sum"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return b.write("go.sum", slices.Concat(bytes.TrimRight(sums, "\n"), []byte("\n"), c.Sums))
}

// findCCompiler returns a NoCCompilerError if there is no C compiler. The error of the go command would say only that a
// file is missing.
func (t Toolchain) findCCompiler(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, t.Go, "env", "CC")
	cmd.Dir, cmd.Env = dir, t.buildEnv(true)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("cannot find the C compiler with the command go env CC: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		words = []string{"gcc"}
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return &NoCCompilerError{words[0]}
	}
	return nil
}

// A NoCCompilerError reports that there is no C compiler. Without one, neither packages with C code nor a worker
// executable with the race detector can be built.
type NoCCompilerError struct{ Name string }

func (e *NoCCompilerError) Error() string {
	return fmt.Sprintf("the C compiler %s was not found: install one (apt install gcc libc6-dev on Debian and Ubuntu, dnf install gcc on Fedora, apk add gcc musl-dev on Alpine) or set CC to its path, and restart the kernel", e.Name)
}

// checkVersions returns an error if a module has another version in the image than in the notebook. The modules of the
// worker executable and of the notebook form one build, in which the higher version is selected. So the notebook's
// packages would be compiled against another version. checkVersions compiles nothing.
func (b *builder) checkVersions() error {
	list, err := b.list()
	if err != nil {
		return err
	}
	return conflicts(b.opt.C.Modules, list)
}

// conflicts returns an error that names all modules for which a build selects another
// version than the notebook. The selected versions are consistent, so one %get switches the
// notebook to all of them.
func conflicts(modules []Module, list []listed) error {
	wanted := map[string]string{}
	for _, m := range modules {
		if m.With == "" {
			wanted[m.Path] = m.Version
		}
	}
	chosen := map[string]string{}
	for _, p := range list {
		if p.Module == nil || p.Module.Replace != nil {
			continue
		}
		if v := wanted[p.Module.Path]; v != "" && v != p.Module.Version {
			chosen[p.Module.Path] = p.Module.Version
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	var differ, get []string
	for _, path := range slices.Sorted(maps.Keys(chosen)) {
		differ = append(differ, fmt.Sprintf("%s %s (Perijove needs %s)", path, wanted[path], chosen[path]))
		get = append(get, path+"@"+chosen[path])
	}
	return fmt.Errorf("the notebook's module needs other versions of modules than Perijove: %s; to use Perijove's versions, run the cell  %%get %s",
		strings.Join(differ, ", "), strings.Join(get, " "))
}
