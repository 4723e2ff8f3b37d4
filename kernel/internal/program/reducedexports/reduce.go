package reducedexports

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// The sections of export data, in the order of the format "unified IR" (internal/pkgbits in the toolchain).
const (
	sectionString = iota
	sectionMeta
	sectionPosBase
	sectionPkg
	sectionName
	sectionType
	sectionObj
	sectionObjExt
	sectionObjDict
	sectionBody
	sections
)

// The versions of the format whose lists reduce can shorten: those of Go 1.25 to Go 1.27.
const (
	firstVersion = 2
	lastVersion  = 5
)

// headerSize is the size of the version, the flags, and the ends of the sections.
const headerSize = 4 + 4 + 4*sections

// fingerprintSize is the size of the fingerprint at the end of the data.
const fingerprintSize = 8

// reduce shortens the lists in export data, in place. It empties the lists of the packages that packages import, and
// keeps only the objects with the names in keep and the objects to which these refer. If the format is not known,
// reduce returns false and does not change the data.
func reduce(data []byte, keep map[string]bool) bool {
	d, ok := open(slices.Clone(data))
	if !ok {
		return false
	}
	d.dropImports()
	d.keepObjects(keep)
	if d.malformed {
		return false
	}
	copy(data, d.data)
	return true
}

// A document is the export data of a package. It consists of elements, each in a section.
type document struct {
	data      []byte
	firsts    [sections + 1]int // the numbers of the first elements of the sections, and of all elements
	elements  int               // where the first element begins
	malformed bool              // the data does not have the known form
}

func open(data []byte) (*document, bool) {
	if len(data) < headerSize+fingerprintSize {
		return nil, false
	}
	version, flags := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if version < firstVersion || version > lastVersion || flags != 0 {
		return nil, false
	}
	d := &document{data: data}
	for i := range sections {
		d.firsts[i+1] = int(binary.LittleEndian.Uint32(data[8+4*i:]))
		if d.firsts[i+1] < d.firsts[i] {
			return nil, false
		}
	}
	n := d.firsts[sections]
	if n == 0 || n > (len(data)-headerSize)/4 {
		return nil, false
	}
	d.elements = headerSize + 4*n
	return d, d.end(n-1) == len(data)-fingerprintSize
}

// end returns where an element ends.
func (d *document) end(element int) int {
	return d.elements + int(binary.LittleEndian.Uint32(d.data[headerSize+4*element:]))
}

// element returns the bytes of an element: a part of d.data.
func (d *document) element(section, index int) []byte {
	n := d.firsts[section] + index
	if index < 0 || n >= d.firsts[section+1] {
		d.malformed = true
		return nil
	}
	start := d.elements
	if n > 0 {
		start = d.end(n - 1)
	}
	if end := d.end(n); start <= end && end <= len(d.data) {
		return d.data[start:end]
	}
	d.malformed = true
	return nil
}

// A reference identifies an element by its section and its index in that section.
type reference struct{ section, index int }

// A reader reads an element.
type reader struct {
	d          *document
	rest       []byte // what is not yet read: the end of the element
	references []reference
}

// read returns a reader of the content of an element, which comes after the element's references.
func (d *document) read(section, index int) *reader {
	r := &reader{d: d, rest: d.element(section, index)}
	n := r.number()
	if n > len(r.rest) {
		d.malformed = true
		return r
	}
	r.references = make([]reference, n)
	for i := range r.references {
		r.references[i] = reference{r.number(), r.number()}
	}
	return r
}

func (r *reader) number() int {
	x, n := binary.Uvarint(r.rest)
	if n <= 0 || x >= 1<<31 {
		r.d.malformed = true
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(x)
}

// reference reads a reference to an element of a section and returns the index of the element there.
func (r *reader) reference(section int) int {
	i := r.number()
	if i >= len(r.references) || r.references[i].section != section {
		r.d.malformed = true
		return 0
	}
	return r.references[i].index
}

func (r *reader) string() string {
	return string(r.d.element(sectionString, r.reference(sectionString)))
}

// replaceLength replaces a length that begins at list and ends at the position of r, by a number that needs no more
// bytes.
func (r *reader) replaceLength(list []byte, n int) {
	list = list[:len(list)-len(r.rest)]
	for i := range list {
		list[i] = byte(n)&0x7f | 0x80
		n >>= 7
	}
	list[len(list)-1] &= 0x7f
}

// dropImports empties the lists of the packages that packages import. The compiler copies
// them into the export data of the unit, which nothing reads.
func (d *document) dropImports() {
	for i := range d.firsts[sectionPkg+1] - d.firsts[sectionPkg] {
		r := d.read(sectionPkg, i)
		if path := r.string(); path == "builtin" || path == "unsafe" {
			continue // these two have only a path
		}
		r.string() // the name
		list := r.rest
		if r.number(); d.malformed {
			return
		}
		r.replaceLength(list, 0)
	}
}

// keepObjects shortens the list of objects.
func (d *document) keepObjects(keep map[string]bool) {
	r := d.read(sectionMeta, 0)
	r.reference(sectionPkg)
	list := r.rest
	count := r.number()
	start := r.rest
	type entry struct {
		bytes  []byte
		object int
	}
	var entries []entry
	for range count {
		before := r.rest
		e := entry{object: r.reference(sectionObj)}
		if r.number() != 0 || d.malformed {
			d.malformed = true
			return
		}
		e.bytes = before[:len(before)-len(r.rest)]
		entries = append(entries, e)
	}
	reached := reachableSet{d: d, seen: map[reference]bool{}}
	self := d.packageOf()
	for _, e := range entries {
		if pkg, name := d.nameOf(e.object); pkg == self && keep[name] {
			reached.add(reference{sectionObj, e.object})
		}
	}
	var kept [][]byte
	for _, e := range entries {
		if reached.seen[reference{sectionObj, e.object}] {
			kept = append(kept, e.bytes)
		}
	}
	if d.malformed {
		return
	}
	copy(start, bytes.Join(kept, nil))
	(&reader{d: d, rest: start}).replaceLength(list, len(kept))
}

// packageOf returns the index of the package that d describes.
func (d *document) packageOf() int { return d.read(sectionMeta, 0).reference(sectionPkg) }

// nameOf returns the index of an object's package, and the name of the object.
func (d *document) nameOf(object int) (pkg int, name string) {
	r := d.read(sectionName, object)
	return r.reference(sectionPkg), r.string()
}

// A reachableSet collects elements, and the elements to which these refer, directly or through others.
type reachableSet struct {
	d    *document
	seen map[reference]bool
}

func (n *reachableSet) add(first reference) {
	todo := []reference{first}
	for len(todo) > 0 && !n.d.malformed {
		ref := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if ref.section == sectionString || ref.section == sectionPkg || n.seen[ref] {
			continue
		}
		if ref.section < 0 || ref.section >= sections {
			n.d.malformed = true
			return
		}
		n.seen[ref] = true
		todo = append(todo, n.d.read(ref.section, ref.index).references...)
		if ref.section == sectionObj { // an object has a part in each of these sections, with the same index
			for _, part := range []int{sectionName, sectionObjExt, sectionObjDict} {
				todo = append(todo, reference{part, ref.index})
			}
		}
	}
}
