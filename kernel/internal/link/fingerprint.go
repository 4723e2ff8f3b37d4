package link

import (
	"fmt"
	"slices"
)

// Objects refer to symbols of the packages that they import by number. The
// numbers are those of one build of a package: its fingerprint, a hash of the
// export data, tells it from others.

// imported opens a package that an object refers to and checks that it is the
// build that the object was compiled against.
func (l *Linker) imported(o *object, path string) (*pkg, error) {
	p, err := l.openPackage(path)
	if err != nil || o.checked[path] == p {
		return p, err
	}
	if o.imports == nil {
		o.imports, o.checked = map[string][8]byte{}, map[string]*pkg{}
		for _, im := range o.Imports() {
			o.imports[im.Path] = im.Fingerprint
		}
	}
	if want, ok := o.imports[path]; ok && want != p.objs[0].Fingerprint {
		return nil, mismatch(o.pkg.path, path)
	}
	o.checked[path] = p
	return p, nil
}

func mismatch(user, path string) error {
	if user == "main" {
		return fmt.Errorf("the cell was compiled against another build of package %s than the one that is used: run the cell again", path)
	}
	return fmt.Errorf("package %s was compiled against another build of package %s than the one that this notebook uses, so their types and functions do not fit; to have it compiled for this notebook:  %%get %s", user, path, user)
}

// Packages of a module are compiled together, and so are those of the image.
// Where a module's package replaces one of the image's, others of the image were
// compiled against what it replaces, and go on with that.

// checkImports refuses a cell that imports a replaced package and one that was
// compiled against what it replaces: values of one would reach code of the other.
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
	if len(now) == 0 {
		return nil
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
	return nil
}
