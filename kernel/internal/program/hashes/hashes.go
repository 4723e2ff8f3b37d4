// Package hashes computes the hashes of a notebook's declarations, by which package cluster recognizes functions in other
// programs.
package hashes

import (
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/identity"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// clusterPackage is the package that compares functions by their source.
const clusterPackage = identity.LibraryModule + "/lib/cluster"

// A Hasher computes the hashes of one notebook. It keeps the hashes of declarations that have not changed.
type Hasher struct {
	Release  string // release of the toolchain, such as "go1.26.8"
	Library  fs.FS  // sources of this project's module
	Importer any    // importer of packages; a Versioner if it knows the versions of packages

	hashed   map[*symtab.Symbol]mpsource.Declaration
	library  string
	versions map[string]string // versions of packages, by import path
}

// A Notebook has the declarations of a notebook after a cell.
type Notebook struct {
	Table   *symtab.Table // the symbol table before the cell
	Lookup  func(name string) *symtab.Symbol
	Fresh   map[string]*symtab.Symbol   // symbols that the cell declares, except variables
	Vars    map[string]*symtab.Symbol   // variables that the cell declares
	Methods map[string][]*symtab.Symbol // the cell's methods, by receiver
	Imports map[string]string           // import paths of the cell's imports, by local name
	Dots    []string
}

// Program returns the hashes of the notebook's declarations, or nil if no cell has imported package cluster.
func (h *Hasher) Program(b Notebook) *mpsource.Program {
	imported := slices.Concat(slices.Collect(maps.Values(b.Table.Imports)), slices.Collect(maps.Values(b.Imports)), b.Table.DotImports, b.Dots)
	if !slices.Contains(imported, clusterPackage) {
		return nil
	}
	hashed := map[*symtab.Symbol]mpsource.Declaration{}
	var list []mpsource.Declaration
	for _, name := range b.names() {
		s := b.Lookup(name)
		if s == nil || s.IsUnnamed() {
			continue
		}
		d, ok := h.hashed[s]
		if !ok {
			d = b.identify(s)
		}
		hashed[s] = d
		d.Name = name
		list = append(list, b.withMethods(d, s))
	}
	if b.Lookup("ctx") == nil {
		list = append(list, programContext())
	}
	h.hashed = hashed
	return &mpsource.Program{Go: h.Release, Library: h.libraryHash(), Layout: mpsource.Layout(), Declarations: identity.Packages(list, h.packageVersion)}
}

// names lists the names of declarations and methods.
func (b Notebook) names() []string {
	names := map[string]bool{}
	for _, m := range []map[string]*symtab.Symbol{b.Table.Names, b.Fresh, b.Vars} {
		for name := range m {
			names[name] = true
		}
	}
	for _, methods := range b.Table.Methods {
		for key := range methods {
			names[key] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// programContext returns the declaration of ctx in a program that was made from a notebook.
func programContext() mpsource.Declaration {
	list, err := identity.OfFile("package main\n\nimport \"context\"\n\nvar ctx = context.Background()\n", map[string]string{"context": "context"})
	if err != nil || len(list) != 1 {
		return mpsource.Declaration{Name: "ctx", Unknown: "cannot be compared"}
	}
	return list[0]
}

// identify returns the Declaration of a symbol, without a name.
func (b Notebook) identify(s *symtab.Symbol) mpsource.Declaration {
	var d mpsource.Declaration
	scope := symbolScope{b, s.Bindings}
	switch def := s.Definition; {
	case s.Kind != cell.Var && len(s.Replaced) > 0:
		d.Unknown = "is one of a group of constants, and another constant of the group was declared again"
	case s.Kind != cell.Var:
		d = identity.Function(s.Decl, scope)
	case def == nil || def.Embed:
		d.Unknown = "has no initial value that can be compared"
	case len(def.Values) > 0 && !s.SameInChildren:
		d.Unknown = "has an initial value that child processes do not compute"
	default:
		scope.bindings = def.Bindings
		d = identity.Var(def.Variable, scope)
	}
	d.Kind = s.KindWord()
	if s.Kind == cell.Func && s.LinkSymbol() != "main."+s.Key {
		d.Symbol = s.LinkSymbol()
	}
	return d
}

// withMethods adds the methods of a type.
func (b Notebook) withMethods(d mpsource.Declaration, s *symtab.Symbol) mpsource.Declaration {
	if s.Kind != cell.Type {
		return d
	}
	keys := map[string]bool{}
	for key := range b.Table.Methods[s.Key] {
		keys[key] = b.Lookup(key) != nil
	}
	for _, m := range b.Methods[s.Key] {
		keys[m.Key] = true
	}
	maps.DeleteFunc(keys, func(_ string, has bool) bool { return !has })
	d.Uses = append(slices.Clone(d.Uses), slices.Sorted(maps.Keys(keys))...)
	return d
}

// A symbolScope has the meanings of the free names of a symbol.
type symbolScope struct {
	b        Notebook
	bindings map[string]symtab.Binding
}

func (s symbolScope) Meaning(r cell.Ref) identity.Meaning {
	bd := s.bindings[r.Name]
	switch {
	case r.Top:
		return identity.Meaning{Declared: true}
	case bd.Kind == symtab.Imported || bd.Kind == symtab.DotImported:
		return identity.Meaning{Path: bd.Path, Dot: bd.Kind == symtab.DotImported}
	case bd.Kind == symtab.InNotebook:
		return identity.Meaning{Declared: s.b.Lookup(r.Name) != nil}
	}
	return identity.Meaning{Declared: bd.Kind != symtab.Universe}
}

func (s symbolScope) IsStruct(name string) bool {
	t := s.b.Lookup(name)
	return t != nil && identity.IsStruct(t.Decl)
}

// libraryHash returns the hash of this project's library.
func (h *Hasher) libraryHash() string {
	if h.library == "" && h.Library != nil {
		hash, err := identity.Library(h.Library)
		if err != nil {
			return "" // no other program has this hash
		}
		h.library = hash
	}
	return h.library
}

// A Versioner is an Importer that knows the versions of packages.
type Versioner interface {
	// Version returns a text that identifies the versions of a package and of all packages that it imports. Two
	// programs in which these are the same have equal texts.
	Version(path string) (string, error)
}

var errNoVersion = errors.New("the module of the package is not known")

func (h *Hasher) packageVersion(path string) (string, error) {
	if exportdata.IsStd(path) || identity.IsLibrary(path) {
		return "", nil // the release, or the hash of the library, covers it
	}
	if text, ok := h.versions[path]; ok {
		return text, nil
	}
	v, ok := h.Importer.(Versioner)
	if !ok {
		return "", errNoVersion
	}
	text, err := v.Version(path)
	if err == nil {
		if h.versions == nil {
			h.versions = map[string]string{}
		}
		h.versions[path] = text
	}
	return text, err
}
