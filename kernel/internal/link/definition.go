package link

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// openPackage maps the archive of a package into memory and parses it. The archive stays mapped.
func (l *Linker) openPackage(path string) (*pkg, error) {
	if p := l.packages[path]; p != nil {
		return p, nil
	}
	file, err := l.archives.Archive(path)
	if err != nil {
		return nil, err
	}
	objs, err := openArchive(path, file)
	if err != nil {
		return nil, err
	}
	p := &pkg{path: path}
	for i, o := range objs {
		p.objs = append(p.objs, &object{Object: o, pkg: p, name: fmt.Sprintf("%s#%d", path, i), addrs: map[int]uintptr{}})
	}
	l.packages[path] = p
	return p, nil
}

func openArchive(path, file string) ([]*goobj.Object, error) {
	b, err := platform.MapFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the compiled package %s: %w", path, err)
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read the compiled package %s: %w", path, err)
	}
	return objs, nil
}

// Replace tells the linker that a package of the image is loaded in another version from now on. References to its
// symbols, and to symbols whose names mention the package, are not bound to the image's symbols.
func (l *Linker) Replace(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.replacedPackages, path) {
		l.replacedPackages = append(l.replacedPackages, path)
		clear(l.buildsBelow)
	}
}

// mentionsReplaced reports whether a symbol belongs to a replaced package or mentions one.
func (l *Linker) mentionsReplaced(name string) bool {
	for _, path := range l.replacedPackages {
		if symname.MentionsPackage(name, goobj.EscapePath(path)) {
			return true
		}
	}
	return false
}

// definition finds the definition of a name. If there are several, it chooses as cmd/link does: a function, else data
// with content, else a variable without content.
func (ld *load) definition(name string, abi uint16) (best defRef, found bool, err error) {
	if d, ok := ld.main.pkg.find(symKey{name, abi}); ok && !strings.HasPrefix(name, "main.") {
		best, found = d, true // the cell defines a symbol of another package by //go:linkname
	}
	if path := symname.Package(name); ld.archives.Has(path) {
		p, err := ld.openPackage(path)
		if err != nil {
			return best, false, err
		}
		best, found = preferred(best, found, p, name, abi)
	}
	if found && !isTentative(best.obj.Sym(best.i)) {
		return best, true, nil
	}
	for _, update := range []bool{!ld.definers.IsRead(), true} {
		if update {
			if err := ld.readDefiners(); err != nil {
				return best, false, err
			}
		}
		for _, path := range ld.definers.Packages(name) {
			p, err := ld.openPackage(path)
			if err != nil {
				return best, false, err
			}
			best, found = preferred(best, found, p, name, abi)
		}
		if found {
			break
		}
	}
	return best, found, nil
}

// readDefiners updates the index of packages that define symbols of other packages.
func (l *Linker) readDefiners() error {
	archives, err := l.archives.All()
	if err == nil {
		_, err = l.definers.Update(archives)
	}
	return err
}

// preferred returns the definition with the higher precedence: best, which is valid if found is true, or the definition
// in package p, if there is one.
func preferred(best defRef, found bool, p *pkg, name string, abi uint16) (defRef, bool) {
	d, ok := p.find(symKey{name, abi})
	if ok && (!found || precedence(d.obj.Sym(d.i)) > precedence(best.obj.Sym(best.i))) {
		return d, true
	}
	return best, found
}

// precedence orders the definitions of one name: the definition with the highest value is used.
func precedence(s goobj.Sym) int64 {
	switch {
	case s.Kind().IsText():
		return 1 << 41
	case len(s.Data()) > 0 || !s.Kind().IsVar():
		return 1 << 40
	}
	weight := 2 * int64(s.Size())
	if !isTentative(s) {
		weight++
	}
	return weight
}
