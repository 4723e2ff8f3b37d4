package link

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
	"golang.org/x/sys/unix"
)

// A symbol that objects refer to by name need not be defined by the package
// that its name begins with: a linkname gives it to another one, assembly
// defines it, or another package made the instance of generic code that this
// one uses. All such symbols are among those that objects list as belonging to
// no package. Where a name leads to nothing, an index of these tells the
// packages that define it.

// update brings the index up to date and reports whether anything is new.
func (d *definerIndex) update(all Archives) (changed bool, err error) {
	archives, err := all.All()
	if err != nil {
		return false, err
	}
	if d.files == nil {
		d.files, d.known = map[string][]nameMark{}, map[string]string{}
	}
	for path, file := range archives {
		if d.known[path] == file {
			continue
		}
		changed = true
		if _, read := d.files[file]; !read {
			if d.files[file], err = readMarks(file); err != nil {
				return false, err
			}
		}
		d.known[path] = file
	}
	if changed {
		d.rebuild()
	}
	return changed, nil
}

// rebuild makes the maps from names to packages.
func (d *definerIndex) rebuild() {
	d.paths = d.paths[:0]
	for path := range d.known {
		d.paths = append(d.paths, path)
	}
	slices.Sort(d.paths) // children must choose as their parent does
	d.first, d.others = map[uint64]int32{}, map[uint64][]int32{}
	for i, path := range d.paths {
		for _, m := range d.files[d.known[path]] {
			h, others := m.hash(), d.others[m.hash()]
			switch first, taken := d.first[h]; {
			case !taken:
				d.first[h] = int32(i)
			case m&1 == 0 && first != int32(i) && (len(others) == 0 || others[len(others)-1] != int32(i)):
				d.others[h] = append(others, int32(i))
			}
		}
	}
}

// packages lists the import paths of packages that define a symbol.
func (d *definerIndex) packages(name string) []string {
	h := markOf(name, false).hash()
	i, ok := d.first[h]
	if !ok {
		return nil
	}
	list := []string{d.paths[i]}
	for _, i := range d.others[h] {
		list = append(list, d.paths[i])
	}
	return list
}

// readMarks lists what an archive defines that belongs to no package.
func readMarks(file string) (list []nameMark, err error) {
	defer goobj.Guard(&err)
	b, err := mapFile(file)
	if err != nil {
		return nil, err
	}
	defer unix.Munmap(b)
	objs, err := goobj.ParseArchive(b)
	if err != nil {
		return nil, err
	}
	for _, o := range objs {
		for i := range o.NonPackage() {
			s := o.Sym(i)
			if name := s.Name(); s.ABI() != goobj.ABIStatic && !s.Local() && (s.Kind().IsText() || !definedByAll(name)) {
				list = append(list, markOf(name, s.Dupok()))
			}
		}
	}
	return list, nil
}

// definedByAll reports whether every object that refers to such a symbol, if it
// is no code, defines it, or the package in whose name it is. Code can be the
// wrapper of a method of an unnamed type: what was inlined from the package that
// has it refers to it, too.
func definedByAll(name string) bool {
	switch {
	case strings.HasPrefix(name, "type:"):
		return !symname.IsInstance(name)
	case strings.HasPrefix(name, "go:"), strings.HasPrefix(name, "runtime.gcbits."):
		return true
	}
	return name == ""
}

// openPackage maps the archive of a package; it stays mapped.
func (l *Linker) openPackage(path string) (*pkg, error) {
	if p := l.packages[path]; p != nil {
		return p, nil
	}
	file, err := l.archives.Archive(path)
	if err != nil {
		return nil, err
	}
	b, err := mapFile(file)
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
	for _, update := range []bool{ld.definers.known == nil, true} {
		if update {
			if _, err := ld.definers.update(ld.archives); err != nil {
				return best, false, err
			}
		}
		for _, path := range ld.definers.packages(name) {
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
