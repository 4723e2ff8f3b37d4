package link

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// openPackage maps the archive of a package; it stays mapped.
func (l *Linker) openPackage(path string) (*pkg, error) {
	if p := l.packages[path]; p != nil {
		return p, nil
	}
	file, err := l.archives.Archive(path)
	if err != nil {
		return nil, err
	}
	b, err := platform.MapFile(file)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", path, err)
	}
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", path, err)
	}
	p := &pkg{path: path}
	for i, o := range objs {
		p.objs = append(p.objs, &object{Object: o, pkg: p, name: fmt.Sprintf("%s#%d", path, i), addrs: map[int]uintptr{}})
	}
	l.packages[path] = p
	return p, nil
}

// Replace says that a package of the image is to be loaded in another version:
// its symbols, and those that mention it, are not bound to the image's.
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

// definition finds the symbol that a name means, as cmd/link does: code before
// content, content before zeros.
func (ld *load) definition(name string, abi uint16) (best defRef, found bool, err error) {
	if d, ok := ld.main.pkg.find(symKey{name, abi}); ok && !strings.HasPrefix(name, "main.") {
		best, found = d, true // what the cell pushes to another package
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

// readDefiners brings the index of what archives define up to date.
func (l *Linker) readDefiners() error {
	archives, err := l.archives.All()
	if err == nil {
		_, err = l.definers.Update(archives)
	}
	return err
}

// preferred chooses between a definition and that of another package.
func preferred(best defRef, found bool, p *pkg, name string, abi uint16) (defRef, bool) {
	d, ok := p.find(symKey{name, abi})
	if ok && (!found || precedence(d.obj.Sym(d.i)) > precedence(best.obj.Sym(best.i))) {
		return d, true
	}
	return best, found
}

// precedence orders the definitions of one name.
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
