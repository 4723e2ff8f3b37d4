package program

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// packages loads export data, once per package.
type packages struct {
	*packageCache
	deadline time.Time // of Import; the zero time: none
}

func newPackages(im Importer) *packages {
	p := &packages{packageCache: newPackageCache(im)}
	for _, importPath := range strings.Fields(stdPaths) {
		p.std[path.Base(importPath)] = append(p.std[path.Base(importPath)], importPath)
	}
	// The orders in which goimports tries packages of one name.
	delete(p.std, "v2")
	p.std["rand"] = []string{"crypto/rand", "math/rand/v2", "math/rand"}
	p.std["template"] = []string{"text/template", "html/template"}
	return p
}

// name returns the name of a package, as its own package clause gives it. A package that is gone has none: the type
// checker says so where it is used.
func (p *packages) name(importPath string) string {
	p.mu.Lock()
	pkg := p.loaded[importPath] // perhaps only mentioned by another: that is enough
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
func (p *packages) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, _ := p.have(importPath); pkg != nil {
		return pkg, nil
	}
	if !p.deadline.IsZero() {
		return p.loadWithin(time.Until(p.deadline), importPath)
	}
	return p.load(importPath)
}

// exportData returns the export data section of a package archive: its first
// member, __.PKGDEF, holds it behind a line $$B.
func exportData(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const magic, header = "!<arch>\n", 60
	head := make([]byte, len(magic)+header)
	r := bufio.NewReader(f)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("%s is not a package archive", file)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(head[len(magic)+48 : len(magic)+58])))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	_, data, ok := bytes.Cut(data, []byte("\n$$B\n"))
	if !ok {
		return nil, fmt.Errorf("%s has no export data", file)
	}
	if i := bytes.LastIndex(data, []byte("\n$$\n")); i >= 0 {
		data = data[:i]
	}
	return data, nil
}

// auto chooses the std package that a selector base means, else one of
// BeyondStd that is at hand, "" if none has the name. Of several the first that exports all the selected names is taken.
func (p *packages) auto(name string, sels []string) string {
	candidates := p.std[name]
	if len(candidates) == 1 {
		return candidates[0]
	}
	for _, c := range candidates {
		if p.exportsAll(c, sels) {
			return c
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	if path := BeyondStd(name); path != "" && p.exportsAll(path, sels) {
		return path
	}
	return ""
}

// BeyondStd returns the path of a package that is no part of the standard
// library and yet known by its name alone, or "". It need not be at hand.
func BeyondStd(name string) string {
	if name == "constraints" {
		return "golang.org/x/exp/constraints"
	}
	return ""
}

// exportsAll reports whether a package can be had and exports all the names.
func (p *packages) exportsAll(path string, names []string) bool {
	pkg, err := p.Import(path)
	return err == nil && !slices.ContainsFunc(names, func(s string) bool { return !exports(pkg, s) })
}

func exports(pkg *types.Package, name string) bool {
	return token.IsExported(name) && pkg.Scope().Lookup(name) != nil
}

var errCgo = errors.New(`import "C" cannot be used in a cell: put the C code into a package of its own and import that`)
