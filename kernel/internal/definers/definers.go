package definers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/kernel/internal/symname"
	"golang.org/x/sys/unix"
)

// An Index maps symbols to the packages that define them. It covers all compiled packages that were passed to Update, and reads
// each archive only once. The zero Index is empty and ready to use.
type Index struct {
	files  map[string][]nameMark // defined symbols, by archive
	paths  []string              // import paths, sorted
	known  map[string]string     // archives, by import path
	first  map[uint64]int32      // by the hash of a name: index in paths of the first package that defines it
	others map[uint64][]int32    // by the hash of a name: indices of further packages; only for symbols that are not dupok
}

// A nameMark is the hash of a defined symbol's name. Its lowest bit says
// whether the symbol is dupok: all its definitions are the same.
type nameMark uint64

func markOf(name string, dupok bool) nameMark {
	m := nameMark(symindex.Hash(name) &^ 1)
	if dupok {
		m |= 1
	}
	return m
}

func (m nameMark) hash() uint64 { return uint64(m &^ 1) }

// Update reads the archives that it has not read before, and reports whether there were any. archives has the files
// by import path.
func (d *Index) Update(archives map[string]string) (changed bool, err error) {
	if d.files == nil {
		d.files, d.known = map[string][]nameMark{}, map[string]string{}
	}
	for path, file := range archives {
		if d.known[path] == file {
			continue
		}
		changed = true
		if _, read := d.files[file]; !read {
			marks, err := readMarks(file)
			if err != nil {
				return false, fmt.Errorf("cannot read the symbols of package %s in %s: %w", path, file, err)
			}
			d.files[file] = marks
		}
		d.known[path] = file
	}
	if changed {
		d.rebuild()
	}
	return changed, nil
}

// IsRead reports whether the index has read any archive.
func (d *Index) IsRead() bool { return d.known != nil }

// rebuild computes paths, first and others.
func (d *Index) rebuild() {
	d.paths = d.paths[:0]
	for path := range d.known {
		d.paths = append(d.paths, path)
	}
	slices.Sort(d.paths) // children must choose the same definitions as their parent
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

// Packages returns the import paths of the packages that define a symbol, sorted. If the symbol is dupok, which means
// that several packages may define it identically, Packages returns only one. Since names are compared by hash, the
// result may contain a package that does not define the symbol.
func (d *Index) Packages(name string) []string {
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

// readMarks returns marks for the symbols that an archive defines and other objects refer to by name.
func readMarks(file string) (list []nameMark, err error) {
	defer goobj.Guard(&err)
	b, err := platform.MapFile(file)
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
			if name := s.Name(); s.ABI() != goobj.ABIStatic && !s.Local() && (s.Kind().IsText() || !DefinedByAll(name)) {
				list = append(list, markOf(name, s.Dupok()))
			}
		}
	}
	return list, nil
}

// DefinedByAll reports whether the index can leave out a data symbol with this name. It can if every object that
// refers to the symbol defines it, or if the package in the symbol's name does. It cannot leave out code, such as a
// wrapper of a method of an unnamed type: code that was inlined from the package that defines the wrapper may refer
// to it in other packages.
func DefinedByAll(name string) bool {
	switch {
	case strings.HasPrefix(name, "type:"):
		return !symname.IsInstance(name)
	case strings.HasPrefix(name, "go:"), strings.HasPrefix(name, "runtime.gcbits."):
		return true
	}
	return name == ""
}
