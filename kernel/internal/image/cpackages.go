package image

import (
	"bytes"
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

// A CSet is a set of packages with C code, and what a build needs to find
// them. Their C code cannot be loaded into a running process, so an image is
// built that contains them.
type CSet struct {
	// Packages are the import paths that the worker imports, sorted.
	Packages []string
	// Modules provide the packages and all that they depend on.
	Modules []Module
	// Sums are lines of a go.sum file that cover the modules.
	Sums []byte
	// Local tells apart the contents of modules in folders, which have no version.
	Local string
}

// A Module is one that the go command has chosen.
type Module struct {
	Path    string
	Version string // "" for one in a folder
	// With stands in place of the module: a folder, or path@version.
	With string
}

// Key names the set, with the environment that C code is compiled in.
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

// addCPackages makes the packages with C code known to the module that the
// worker is built in, in the versions that the notebook has.
func (b *builder) addCPackages() error {
	c := b.opt.C
	if c == nil {
		return nil
	}
	if err := b.findCCompiler(); err != nil {
		return err
	}
	args := []string{"mod", "edit"}
	for _, m := range c.Modules {
		version := m.Version
		if version == "" {
			version = "v0.0.0-00010101000000-000000000000" // as go mod tidy writes it beside a replacement
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

// findCCompiler fails in words if there is none: the go command's own are
// about a file.
func (b *builder) findCCompiler() error {
	out, err := b.goCommand("env", "CC")
	if err != nil {
		return err
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

// A NoCCompilerError says that packages with C code cannot be compiled.
type NoCCompilerError struct{ Name string }

func (e *NoCCompilerError) Error() string {
	return fmt.Sprintf("the C compiler %s was not found: install one (apt install gcc libc6-dev on Debian and Ubuntu, dnf install gcc on Fedora, apk add gcc musl-dev on Alpine) or set CC to its path, and restart the kernel", e.Name)
}

// checkVersions refuses to mix versions: the worker's own modules and the
// notebook's are one build, in which the higher version wins, and the
// notebook's packages would be compiled against another one. Nothing is compiled
// for that.
func (b *builder) checkVersions() error {
	list, err := b.list()
	if err != nil {
		return err
	}
	return conflicts(b.opt.C.Modules, list)
}

// conflicts names all modules that a build has chosen in other versions than a
// notebook. Versions that it has chosen go together, so one %get brings the
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
		differ = append(differ, fmt.Sprintf("%s %s (the worker needs %s)", path, wanted[path], chosen[path]))
		get = append(get, path+"@"+chosen[path])
	}
	return fmt.Errorf("the notebook's module has versions that do not go together with those of Perijove's worker: %s; this cell brings them together:  %%get %s",
		strings.Join(differ, ", "), strings.Join(get, " "))
}
