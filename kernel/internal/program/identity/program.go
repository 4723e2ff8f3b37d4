package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// LibraryModule is the path of this project's module. One hash covers all its packages.
const LibraryModule = "github.com/perijove/perijove"

// IsLibrary reports whether a package belongs to this project's library.
func IsLibrary(path string) bool { return strings.HasPrefix(path, LibraryModule+"/") }

// Library returns the hash of this project's library. files are the files of its module. The hash covers the sources
// that programs import, and the versions of the modules that these sources need.
func Library(files fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && name != "testdata" && name != "kernel" {
			return err
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		isSource := (strings.HasPrefix(name, "lib/") || strings.HasPrefix(name, "internal/")) && strings.HasSuffix(name, ".go") &&
			!strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "/testdata/")
		if !isSource && name != "go.mod" {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err == nil {
			_, err = fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		}
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:16]), err
}

// Packages returns list with a Declaration added for each package that the declarations use. version returns a text
// that identifies the versions of a package and of all packages that it imports.
func Packages(list []mpsource.Declaration, version func(path string) (string, error)) []mpsource.Declaration {
	seen := map[string]bool{}
	for _, d := range slices.Clone(list) {
		for _, use := range d.Uses {
			path, isPackage := strings.CutPrefix(use, PackageName(""))
			if !isPackage || seen[path] {
				continue
			}
			seen[path] = true
			p := mpsource.Declaration{Name: use}
			if text, err := version(path); err == nil {
				sum := sha256.Sum256([]byte(text))
				p.Hash = hex.EncodeToString(sum[:16])
			} else {
				p.Unknown = fmt.Sprintf("has no known version: %v", err)
			}
			list = append(list, p)
		}
	}
	return list
}

// OfFile returns the declarations of a file with a package clause. packages has the names of imported packages, by path.
func OfFile(src string, packages map[string]string) ([]mpsource.Declaration, error) {
	c, errs := cell.Parse(0, src)
	if len(errs) > 0 {
		return nil, errs
	}
	s := fileScope{declared: map[string]*cell.Decl{}, imports: map[string]string{}}
	for _, im := range c.Imports {
		name := im.Name
		if name == "" {
			name = packages[im.Path]
		}
		if name == "." || name == "" {
			return nil, fmt.Errorf("cannot identify the file's declarations: the names that the import of package %q declares are not known", im.Path)
		}
		s.imports[name] = im.Path
	}
	for _, d := range c.Decls {
		for _, n := range d.Names {
			if d.Recv == "" {
				s.declared[n.Name] = d
			}
		}
	}
	var list []mpsource.Declaration
	for _, d := range c.Decls {
		list = append(list, s.declarations(c, d)...)
	}
	return list, nil
}

// declarations returns the Declarations of the names that d declares.
func (s fileScope) declarations(c *cell.Cell, d *cell.Decl) (list []mpsource.Declaration) {
	for i, n := range d.Names {
		var out mpsource.Declaration
		switch {
		case d.Kind == cell.Var && d.Embed:
			out.Unknown = "has the content of a file"
		case d.Kind == cell.Var:
			out = Var(VariableOf(d.Source, d.Var, nil, i, len(d.Names)), s)
		default:
			out = Function(d, s)
		}
		out.Name, out.Kind = n.Name, Word(d.Kind)
		if d.Recv != "" {
			out.Name = d.Recv + "." + n.Name
			if d.PtrRecv {
				out.Symbol = "main.(*" + d.Recv + ")." + n.Name
			}
		}
		if d.Kind == cell.Type {
			for _, m := range c.Decls {
				if m.Recv == n.Name {
					out.Uses = append(out.Uses, m.Recv+"."+m.Names[0].Name)
				}
			}
		}
		list = append(list, out)
	}
	return list
}

// Word returns the word for a kind of declaration in messages to users.
func Word(k cell.Kind) string {
	return map[cell.Kind]string{cell.Func: "function", cell.Type: "type", cell.Const: "constant", cell.Var: "variable"}[k]
}

// VariableOf returns the variable number index of the count variables that the specification v declares. If v is nil,
// a short variable declaration with the given values declares them.
func VariableOf(src cell.Source, v *cell.VarSpec, values []cell.Span, index, count int) Variable {
	out := Variable{Source: src, Values: values, Index: index, Count: count}
	if v != nil {
		out.Type, out.Values = cell.Span{Start: v.TypeStart, End: v.TypeEnd}, v.Values
	}
	return out
}

// A fileScope is the Scope of a file.
type fileScope struct {
	declared map[string]*cell.Decl
	imports  map[string]string
}

func (s fileScope) Meaning(r cell.Ref) Meaning {
	if s.declared[r.Name] != nil {
		return Meaning{Declared: true}
	}
	return Meaning{Path: s.imports[r.Name]}
}

func (s fileScope) IsStruct(name string) bool { return IsStruct(s.declared[name]) }

// IsStruct reports whether d declares a struct type.
func IsStruct(d *cell.Decl) bool {
	if d == nil || d.Kind != cell.Type {
		return false
	}
	x, err := parseType(d.Text)
	return err == nil && x
}
