package resolve

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// Variable returns the entity of the first declaration of the same variable.
func (e *Entity) Variable() *Entity {
	for e.Same != nil {
		e = e.Same
	}
	return e
}

// A Book has the cells of a notebook, and what their names mean.
type Book struct {
	Title  string
	stored bool // name the cells by their stored execution counts
	Steps  []*Step
	Tables []map[string]*Entity // the meaning of names after each step; the name of a method is "T.m"
	Pkgs   *exportdata.Packages
	Errs   cell.Errors
	Idents map[string]bool // all identifiers in the notebook

	Functions []*Function
	Groups    map[*Entity][]*Function // for the declaration of a function: its Function at each step
	instances map[*Entity][]*Instance // of a declaration: its instance, by step
	All       []*Instance
	Followed  []string // constants that function literals use and that later cells change
	Blank     []string // paths of the packages that are imported as _
	dots      []string // the packages that are imported with a dot
	IsGoNB    bool     // the notebook is written for GoNB, which calls functions named init_NAME
	UsesCtx   bool
	numbered  map[string]bool // Out[3] and In[3] in the cells
	skip      map[int]string  // messages of cells that fail as expected, by their execution counts
	MayFail   map[int]bool    // execution counts of the cells tagged raises-exception
	Inferred  *types.Package
}

// NewBook returns a book without cells. stored says whether errors name the cells by their stored execution counts.
// skip has the execution counts of the cells to leave out, with the reasons.
func NewBook(pkgs *exportdata.Packages, stored bool, skip map[int]string) *Book {
	return &Book{
		Pkgs: pkgs, stored: stored, skip: skip, Idents: map[string]bool{}, Groups: map[*Entity][]*Function{}, instances: map[*Entity][]*Instance{},
		MayFail: map[int]bool{}, numbered: map[string]bool{},
	}
}

// An Entity is one declaration of a name.
type Entity struct {
	id   int
	Name string // name as in Book.Tables
	Kind cell.Kind
	Step int
	Decl *cell.Decl
	Fact *source.Facts
	Stmt *Stmt  // for a variable: the statement that declares it
	path string // of a package

	Typ      types.Type  // for a variable: its type
	types    []*Instance // the types of the notebook in typ
	Same     *Entity     // for a variable: an earlier declaration of it, or nil
	Used     bool        // for a variable: some code uses it
	isResult bool        // it is the value of a cell, Out[3]
	Values   int         // for a cell's result: how many values the cell has, of which this entity is the first; 0 if the number is not known
	WithErr  bool        // for a cell's result: the cell has a second value, the error that a call returns
	GoName   string      // for a variable: its name in the program, which package translate chooses
}

// A Target is the meaning of a name at one place.
type Target struct {
	Entity   *Entity
	Path     string // import path if the name is a package
	IsMember bool   // the name belongs to the package, which was imported with a dot
	Text     string // for In[n]: the text of the cell, as a string literal
	Ctx      bool
}

// Selector returns the text to write after the package's name for r: a dot and the name if r is a member of the
// package, else "".
func (t Target) Selector(r cell.Ref) string {
	if t.IsMember {
		return "." + r.Name
	}
	return ""
}

// bind computes the tables.
func (b *Book) bind() {
	table := map[string]*Entity{}
	ids := 0
	for _, s := range b.Steps {
		next := map[string]*Entity{}
		for name, e := range table {
			next[name] = e
		}
		add := func(e *Entity) {
			if e.id == 0 {
				ids++
				e.id = ids
			}
			e.Step = s.Index
			next[e.Name] = e
		}
		b.remove(s, next)
		for _, im := range s.Cell.Imports {
			if strings.HasPrefix(im.Path, GonbModule) {
				b.Refuse(s, im.Pos, "package %s shows nothing in a program: show values with package %s", im.Path, DisplayPackage)
				continue
			}
			if _, err := b.Pkgs.Import(im.Path); err != nil {
				b.Fail(s, im.Pos, "%v", err)
				continue
			}
			name := im.Name
			if name == "" {
				name = b.Pkgs.Name(im.Path)
			}
			switch name {
			case "_":
				b.Blank = append(b.Blank, im.Path)
			case ".":
				add(&Entity{Name: ". " + im.Path, Kind: cell.Import, path: im.Path})
				b.dots = append(b.dots, im.Path)
			default:
				add(&Entity{Name: name, Kind: cell.Import, path: im.Path})
			}
		}
		b.bindDecls(s, table, add)
		for _, st := range s.Stmts {
			for i, n := range st.Names {
				if n.Name != "_" && st.New[i] {
					add(&Entity{Name: n.Name, Kind: cell.Var, Stmt: st})
				}
			}
		}
		b.bindResult(s, add)
		b.Tables = append(b.Tables, next)
		table = next
	}
}

// GonbModule begins the paths of GoNB's packages, which need a kernel.
const GonbModule = "github.com/janpfeifer/gonb/"

// remove removes the declarations that a cell removes with %rm.
func (b *Book) remove(s *Step, table map[string]*Entity) {
	for _, d := range s.Cell.Directives {
		if d.Name != "%rm" && d.Name != "%remove" {
			continue
		}
		for _, name := range strings.Fields(d.Args) {
			delete(table, name)
			for key := range table {
				if strings.HasPrefix(key, name+".") {
					delete(table, key)
				}
			}
		}
	}
}

func (b *Book) bindDecls(s *Step, table map[string]*Entity, add func(*Entity)) {
	for _, l := range s.Cell.Linknames {
		b.Refuse(s, l.Pos, "//go:linkname cannot be exported")
	}
	for _, d := range s.Cell.Decls {
		if d.Kind == cell.Func && d.Recv == "" && d.Names[0].Name == "init" {
			s.Inits = append(s.Inits, d)
		}
		f := b.factsOf(d)
		for _, n := range d.Names {
			f.Called[n.Off] = true // not a use of the name
		}
		id := 0 // the names of a group of constants share it
		for _, n := range d.Names {
			key := n.Name
			if d.Recv != "" {
				key = d.Recv + "." + key
			}
			if old := table[key]; old != nil && old.Decl != nil && n.Name != "_" && source.Same(old.Decl, d) {
				continue // the same declaration once more
			}
			e := &Entity{Name: key, Kind: d.Kind, Decl: d, Fact: f}
			if n.Name == "_" || n.Name == "init" && d.Kind == cell.Func && d.Recv == "" {
				e.Name = fmt.Sprintf("%s %d:%d", n.Name, s.Index, len(b.instances)) // never looked up
				e.Name += fmt.Sprint(d.Pos)
			}
			e.id = id
			add(e)
			id = e.id
		}
	}
}

// Lookup returns the meaning that a name has at step k in a function or declaration.
func (b *Book) Lookup(k int, r cell.Ref) Target {
	return b.find(b.Tables[k], k, r)
}

// LookupIn returns the meaning that a name has in a statement.
func (b *Book) LookupIn(st *Stmt, r cell.Ref) Target {
	k := st.Step.Index
	e := b.Tables[k][r.Name]
	if e == nil || e.Kind != cell.Var || e.Step != k || r.Top || k == 0 {
		return b.Lookup(k, r)
	}
	if old := b.Tables[k-1][r.Name]; old != nil {
		return b.find(b.Tables[k-1], k, r) // the variable is declared further down
	}
	return b.Lookup(k, r)
}

func (b *Book) find(table map[string]*Entity, k int, r cell.Ref) Target {
	if isNumbered(r) {
		return b.findNumbered(table, k, r)
	}
	if table[r.Name] == nil {
		for _, path := range b.dots {
			if table[". "+path] != nil && b.exports(path, r.Name) {
				return Target{Path: path, IsMember: true}
			}
		}
	}
	switch e := table[r.Name]; {
	case e != nil && e.Kind == cell.Import:
		return Target{Path: e.path}
	case e != nil:
		return Target{Entity: e}
	case r.Name == cell.FlagPackage:
		return Target{Path: "flag"}
	case types.Universe.Lookup(r.Name) != nil:
		return Target{}
	case r.Name == "ctx":
		return Target{Ctx: true}
	case r.Sel != "":
		return Target{Path: b.Pkgs.ByName(r.Name, b.selected(k, r.Name))}
	}
	return Target{}
}

// selected returns the names that a cell selects from a name.
func (b *Book) selected(k int, name string) []string {
	var sels []string
	add := func(refs []cell.Ref) {
		for _, r := range refs {
			if r.Name == name && r.Sel != "" && !slices.Contains(sels, r.Sel) {
				sels = append(sels, r.Sel)
			}
		}
	}
	for _, d := range b.Steps[k].Cell.Decls {
		add(d.Refs)
	}
	for _, st := range b.Steps[k].Stmts {
		add(st.Refs)
	}
	return sels
}

func (b *Book) exports(path, name string) bool {
	pkg, err := b.Pkgs.Import(path)
	return err == nil && exportdata.Exports(pkg, name)
}
