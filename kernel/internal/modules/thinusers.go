package modules

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// ThinImportcfg does what Importcfg does, but uses thin packages where the image has them, for a unit that imports
// paths; see package thin. If one of these packages was compiled against the complete form of a thin package, the
// compiler would mix the two forms. ThinImportcfg then returns the result of Importcfg.
func (m *Modules) ThinImportcfg(paths []string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	thin := m.img.ThinImportcfgFile()
	if thin == "" {
		return m.importcfg(m.img.ImportcfgFile())
	}
	for _, path := range paths {
		if uses, err := m.usesThin(path); err != nil {
			return "", err
		} else if uses {
			return m.importcfg(m.img.ImportcfgFile())
		}
	}
	return m.importcfg(thin)
}

// usesThin reports whether a package, or one on which it depends, was compiled against the complete form of a thin package. The
// caller holds mu.
func (m *Modules) usesThin(path string) (bool, error) {
	file, ok := m.archives[path]
	if !ok {
		return m.img.UsesThin(path), nil
	}
	if uses, ok := m.thinUsers[file]; ok {
		return uses, nil
	}
	imports, err := importsOf(file)
	if err != nil {
		return false, fmt.Errorf("cannot read the imports of package %s: %w", path, err)
	}
	uses := slices.ContainsFunc(imports, m.img.IsThin)
	for _, p := range imports {
		if uses {
			break
		}
		if uses, err = m.usesThin(p); err != nil {
			return false, err
		}
	}
	m.thinUsers[file] = uses // names of files in the build cache contain a hash of the content
	return uses, nil
}

// importsOf returns the import paths of the packages against which a package was compiled.
func importsOf(archive string) (paths []string, err error) {
	b, err := platform.MapFile(archive)
	if err != nil {
		return nil, err
	}
	defer unix.Munmap(b)
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, err
	}
	defer goobj.Guard(&err)
	for _, o := range objs {
		for _, im := range o.Imports() {
			paths = append(paths, strings.Clone(im.Path)) // the path is in the mapping
		}
	}
	return paths, nil
}
