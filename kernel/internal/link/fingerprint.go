package link

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Objects use numbers to refer to symbols of imported packages. The numbers are valid for one build of a package. The
// fingerprint, a hash of the export data, identifies that build.

// imported opens a package that an object refers to. It returns an error if it is not the
// build that the object was compiled against.
func (l *Linker) imported(o *object, path string) (*pkg, error) {
	p, err := l.openPackage(path)
	if err != nil || o.checked[path] == p {
		return p, err
	}
	if want, ok := o.fingerprint(path); ok && want != p.objs[0].Fingerprint {
		thin, hasThin, err := l.thinFingerprint(path)
		if err != nil || !hasThin || want != thin {
			return nil, cmp.Or(err, mismatch(o.pkg.path, path))
		}
	}
	if o.checked == nil {
		o.checked = map[string]*pkg{}
	}
	o.checked[path] = p
	return p, nil
}

// fingerprint returns the fingerprint of the build of a package that the object was compiled against, and false if it does not import the package.
func (o *object) fingerprint(path string) ([8]byte, bool) {
	if o.imports == nil {
		o.imports = map[string][8]byte{}
		for _, im := range o.Imports() {
			o.imports[im.Path] = im.Fingerprint
		}
	}
	f, ok := o.imports[path]
	return f, ok
}

// thinFingerprint returns the fingerprint of the thin form of a package, and false if it has none or was replaced. The
// thin form has no numbers: an object that was compiled against it refers to the symbols by name. If the object refers to some by number nevertheless, the
// compiler has the numbers from the export data of a package that was compiled against the complete form.
func (l *Linker) thinFingerprint(path string) ([8]byte, bool, error) {
	file, err := l.archives.Thin(path)
	if file == "" || err != nil || slices.Contains(l.replacedPackages, path) {
		return [8]byte{}, false, err
	}
	if f, ok := l.thin[path]; ok {
		return f, true, nil
	}
	objs, err := openArchive(path, file)
	if err != nil {
		return [8]byte{}, false, err
	}
	l.thin[path] = objs[0].Fingerprint
	return objs[0].Fingerprint, true, nil
}

// lacksBody reports whether a function or dictionary of the cell's object stands for one of a package that the
// object knows without the bodies of generic code. The content of a dictionary follows from bodies.
func (ld *load) lacksBody(o *object, name string) bool {
	if !o.isMain || !symname.IsInstance(name) {
		return false
	}
	thin, ok, err := ld.thinFingerprint(symname.Package(name))
	if !ok || err != nil {
		return false
	}
	want, ok := o.fingerprint(symname.Package(name))
	return ok && want == thin
}

func mismatch(user, path string) error {
	if user == "main" {
		return fmt.Errorf("the cell was compiled against another build of package %s than the one that this notebook uses: run the cell again", path)
	}
	return fmt.Errorf("package %s was compiled against another build of package %s than the one that this notebook uses, so their types and functions do not match; to compile package %s for this notebook:  %%get %s", user, path, user, user)
}

// Packages of a module are compiled together, and so are those of the image.
// If a package of a module replaces one of the image, the other packages of the image
// still use the replaced package, which they were compiled against.

// checkImports returns an error if the cell imports both the new version of a replaced package and a
// package that was compiled against the old version: the types of the two versions would mix.
func (ld *load) checkImports() error {
	if len(ld.replacedPackages) == 0 {
		return nil
	}
	imports := ld.main.Imports()
	now := map[string][8]byte{}
	for _, im := range imports {
		if slices.Contains(ld.replacedPackages, im.Path) {
			now[im.Path] = im.Fingerprint
		}
	}
	for _, im := range imports {
		p, err := ld.imported(ld.main, im.Path)
		if err != nil {
			return err
		}
		for _, below := range p.objs[0].Imports() {
			if f, ok := now[below.Path]; ok && f != below.Fingerprint {
				return mismatch(im.Path, below.Path)
			}
		}
	}
	ld.noteMixedBuilds(imports)
	return nil
}

// noteMixedBuilds adds a notice, once, if packages that the cell imports need different builds of a package, directly or
// indirectly: the compiler does not distinguish the types of the two builds.
func (ld *load) noteMixedBuilds(imports []goobj.Import) {
	for _, path := range ld.replacedPackages {
		p, err := ld.openPackage(path)
		if err != nil {
			continue
		}
		var older, newer []string
		for _, im := range imports {
			switch f, needed := ld.buildBelow(im.Path, path); {
			case !needed:
			case f == p.objs[0].Fingerprint:
				newer = append(newer, im.Path)
			default:
				older = append(older, im.Path)
			}
		}
		if len(older) == 0 || len(newer) == 0 {
			continue
		}
		than := "package " + newer[0] + " does"
		if newer[0] == path {
			than = "the cell imports"
		}
		notice := fmt.Sprintf("package %s needs another version of package %s than %s: do not pass values of its types from one to the other", older[0], path, than)
		if !ld.mixedBuilds[notice] {
			ld.mixedBuilds[notice] = true
			ld.notices = append(ld.notices, notice)
		}
	}
}

// A buildQuery asks which build of the package path the package user needs.
type buildQuery struct{ user, path string }

// A builtAgainst is the answer to a buildQuery.
type builtAgainst struct {
	fingerprint [8]byte
	needed      bool
}

// buildBelow returns the fingerprint of the build of package path that package user needs, directly or through others.
// If user is path, it is the fingerprint of user. It returns false if user does not need path.
func (l *Linker) buildBelow(user, path string) ([8]byte, bool) {
	q := buildQuery{user, path}
	if b, ok := l.buildsBelow[q]; ok {
		return b.fingerprint, b.needed
	}
	l.buildsBelow[q] = builtAgainst{} // the result if the package cannot be opened; imports have no cycles
	p, err := l.openPackage(user)
	if err != nil {
		return [8]byte{}, false
	}
	b := builtAgainst{p.objs[0].Fingerprint, user == path}
	for _, im := range p.objs[0].Imports() {
		if b.needed {
			break
		}
		if b.needed = im.Path == path; b.needed {
			b.fingerprint = im.Fingerprint
		} else {
			b.fingerprint, b.needed = l.buildBelow(im.Path, path)
		}
	}
	l.buildsBelow[q] = b
	return b.fingerprint, b.needed
}
