package image

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/image/thin"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// thinPackages lists the packages that the image also has in the form of package thin, for units whose instances of
// generic code are in the worker process.
var thinPackages = []string{libraryMP}

const (
	libraryMP     = "github.com/perijove/perijove/lib/mp"
	thinImportcfg = "importcfg-thin" // the importcfg file with the thin packages, in the image
)

// ThinImportcfgFile returns the path of the importcfg file in which thin packages replace the complete ones, or "" if
// the image has none. See package thin.
func (m *Image) ThinImportcfgFile() string {
	if m.Race || m.Unfit != "" {
		return ""
	}
	return filepath.Join(m.Dir, thinImportcfg)
}

// IsThin reports whether the image has a thin package in addition to the complete package.
func (m *Image) IsThin(path string) bool {
	return m.ThinImportcfgFile() != "" && slices.Contains(thinPackages, path)
}

// Declared returns how a unit refers to the declaration of an instance of a generic type or function: by a name in the thin form of a package.
// Package path and linkName are those of the instance in symbols. If the instance is not declared, Declared returns false.
func (m *Image) Declared(path, linkName string) (in, identifier string, ok bool) {
	if m.ThinImportcfgFile() == "" || !m.declared[path+"."+linkName] {
		return "", "", false
	}
	return libraryMP, thin.Identifier(linkName), true
}

// UsesThin reports whether a package of the image that is not thin was compiled against the complete form of a thin
// package, directly or through other packages. A unit that imports the package must be compiled against the complete
// form, too. The package's export data contains types and functions of the complete form, and the compiler refuses to
// mix the two forms.
func (m *Image) UsesThin(path string) bool { return slices.Contains(m.thinUsers, path) }

// thinUsers returns the packages for which UsesThin reports true.
func thinUsers(list []listed) (users []string) {
	byPath := make(map[string]listed, len(list))
	for _, p := range list {
		byPath[p.ImportPath] = p
	}
	uses := make(map[string]bool, len(list))
	var usesThin func(path string) bool
	usesThin = func(path string) bool {
		is, known := uses[path]
		if !known {
			is = slices.ContainsFunc(byPath[path].Imports, func(p string) bool { return slices.Contains(thinPackages, p) || usesThin(p) })
			uses[path] = is
		}
		return is
	}
	for _, p := range list {
		if !slices.Contains(thinPackages, p.ImportPath) && usesThin(p.ImportPath) {
			users = append(users, p.ImportPath)
		}
	}
	return users
}

// Has reports whether the worker process contains a symbol: a Go function, or data.
func (m *Image) Has(symbol string) bool {
	if m.index == nil {
		return false // not a result of Open
	}
	index := m.index()
	if index == nil {
		return false
	}
	_, ok := index.Lookup(symbol, goobj.ABIInternal)
	return ok
}

// openIndex returns nil if cells are separate programs, or if the image was deleted.
func (m *Image) openIndex() *symindex.Index {
	b, err := platform.MapFile(m.Index())
	if err != nil {
		return nil
	}
	index, err := symindex.Open(b)
	if err != nil {
		return nil
	}
	return index
}

// compileThin compiles the thin packages.
func (b *builder) compileThin() error {
	if b.opt.Race {
		return nil
	}
	if err := os.Mkdir(filepath.Join(b.dir, "thin"), 0o755); err != nil {
		return err
	}
	declarer, err := thin.NewDeclarer(libraryMP, declaredInstances())
	if err != nil {
		return err
	}
	names := map[string]string{"unsafe": "unsafe"} // it is not compiled
	for _, p := range b.pkgs {
		names[p.ImportPath] = p.Name
	}
	for _, p := range b.pkgs {
		if !slices.Contains(thinPackages, p.ImportPath) {
			continue
		}
		file := filepath.Join("thin", fileName(p.ImportPath))
		if err := b.compileWithoutBodies(p, file, names, declarer); err == nil {
			b.declared = declarer.Names()
		} else {
			if b.ctx.Err() == nil && b.opt.Log != nil {
				b.opt.Log(fmt.Sprintf("image: units cannot refer to instances of generic code by declarations: %v", err))
			}
			if err := b.compileWithoutBodies(p, file, names, nil); err != nil {
				return fmt.Errorf("cannot compile package %s without the bodies of its generic code: %w", p.ImportPath, err)
			}
		}
		b.thin[p.ImportPath] = file
	}
	return b.writeImportcfg(b.dir)
}

// compileWithoutBodies compiles the thin form of p to a file in the image, with the declarations of declarer unless that is nil.
func (b *builder) compileWithoutBodies(p listed, to string, names map[string]string, declarer *thin.Declarer) error {
	dir := b.src("thin-" + fileName(p.ImportPath))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"zz_thin.go": thin.Declarations(p.Name)}
	for _, name := range p.GoFiles {
		src, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return err
		}
		if files[name], err = thin.Source(name, src, func(path string) string { return names[path] }); err != nil {
			return err
		}
		if declarer != nil {
			if files[name], err = declarer.Declare(name, files[name]); err != nil {
				return err
			}
		}
	}
	if declarer != nil {
		var err error
		if files["zz_functions.go"], err = declarer.Functions(p.Name, declaredFunctions()); err != nil {
			return err
		}
	}
	// With -linkshared the package does not number its symbols, so units refer to them by name.
	args := []string{"-o", filepath.Join(b.dir, to), "-p", p.ImportPath, "-importcfg", filepath.Join(b.dir, "importcfg"), "-dwarf=false", "-l", "-linkshared", "-lang=" + b.tc.Lang(), "-trimpath", dir}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return err
		}
		args = append(args, file)
	}
	if out, err := exec.CommandContext(b.ctx, b.tc.Compile(), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("the compiler failed: %w\n%s", err, out)
	}
	if declarer != nil {
		renames, err := declarer.Renames()
		if err != nil {
			return err
		}
		if err := reducedexports.Rename(filepath.Join(b.dir, to), renames); err != nil {
			return err
		}
	}
	return b.checkWithoutNumbers(to)
}

// checkWithoutNumbers returns an error if a thin package numbers its symbols. Units refer to the symbols of a package
// by number, if it has any. The numbers of the thin form would differ from those of the complete form,
// which units know too, from other packages that use it.
func (b *builder) checkWithoutNumbers(archive string) error {
	content, err := os.ReadFile(filepath.Join(b.dir, archive))
	if err != nil {
		return err
	}
	objs, err := goobj.ParseArchive(content)
	if err != nil {
		return err
	}
	for _, o := range objs {
		for i := range o.Indexed() {
			return fmt.Errorf("the compiler of %s gives a number to the symbol %s, although its flag -linkshared forbids that", b.tc.Version, o.Sym(i).Name())
		}
	}
	return nil
}
