package exportdata

import (
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Packages loads export data, once per package. It implements types.Importer. Its methods may be called concurrently.
type Packages struct {
	*cache
	Deadline time.Time // time after which Import fails; the zero time means none
}

// New returns Packages that find compiled packages in archives. goroot is the root
// folder of the toolchain, for the sources of the standard library; library has the sources
// of this project's module, and may be nil.
func New(archives Archives, goroot string, library fs.FS) *Packages {
	p := &Packages{cache: newCache(archives, goroot, library)}
	for _, importPath := range strings.Fields(stdPaths) {
		p.Std[path.Base(importPath)] = append(p.Std[path.Base(importPath)], importPath)
	}
	// These lists are in the order in which goimports tries packages of the same name.
	delete(p.Std, "v2")
	p.Std["rand"] = []string{"crypto/rand", "math/rand/v2", "math/rand"}
	p.Std["template"] = []string{"text/template", "html/template"}
	return p
}

// Name returns the name in the package clause of a package. It returns "missing" for a package that cannot be loaded,
// since the type checker reports the error where the package is used.
func (p *Packages) Name(importPath string) string {
	p.mu.Lock()
	pkg := p.loaded[importPath] // an incomplete package also has a name
	p.mu.Unlock()
	if pkg == nil {
		var err error
		if pkg, err = p.Import(importPath); err != nil {
			return "missing"
		}
	}
	return pkg.Name()
}

// Import implements types.Importer.
func (p *Packages) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, _ := p.have(importPath); pkg != nil {
		return pkg, nil
	}
	if !p.Deadline.IsZero() {
		return p.loadWithin(time.Until(p.Deadline), importPath)
	}
	return p.load(importPath)
}

// SourceFolder returns a file system with a source file that the export data of a package names, or nil if there is
// none. The names of the standard library's files begin with $GOROOT. The library of this project was compiled in a
// folder that no longer exists.
func (p *Packages) SourceFolder(importPath, file string) fs.FS {
	if rest, ok := strings.CutPrefix(file, "$GOROOT"); ok {
		file = filepath.Join(p.goroot, rest)
	}
	if st, err := os.Stat(file); err == nil && !st.IsDir() {
		return os.DirFS(filepath.Dir(file))
	}
	if below, ok := strings.CutPrefix(importPath, libraryModule); ok && p.library != nil {
		if folder, err := fs.Sub(p.library, below); err == nil {
			return folder
		}
	}
	return nil
}

const libraryModule = "github.com/perijove/perijove/"
