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

// Variable returns the first declaration of the variable.
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
	Tables []map[string]*Entity // the meaning of names after each step; a method is "T.m"
	Pkgs   *exportdata.Packages
	Errs   cell.Errors
	Idents map[string]bool // all identifiers in the notebook

	Functions []*Function
	Groups    map[*Entity][]*Function // of the declaration of a function: its Function, by step
	instances map[*Entity][]*Instance // of a declaration: its instance, by step
	All       []*Instance
	Followed  []string // constants that function literals use and that later cells change
	Blank     []string // the packages that are imported as _
	dots      []string // the packages that are imported with a dot
	IsGoNB    bool     // written for GoNB, which calls functions named init_NAME
	UsesCtx   bool
	numbered  map[string]bool // Out[3] and In[3] in the cells
	skip      map[int]string  // messages of cells that fail as expected, by their execution counts
	MayFail   map[int]bool    // execution counts of the cells tagged raises-exception
	Inferred  *types.Package
}

// NewBook returns a book without cells. The book leaves out the cells whose execution counts are in skip, which has the reasons.
func NewBook(pkgs *exportdata.Packages, stored bool, skip map[int]string) *Book {
	return &Book{
		Pkgs: pkgs, stored: stored, skip: skip, Idents: map[string]bool{}, Groups: map[*Entity][]*Function{}, instances: map[*Entity][]*Instance{},
		MayFail: map[int]bool{}, numbered: map[string]bool{},
	}
}

// An Entity is one declaration of a name.
type Entity struct {
	id   int
	Name string // as in a table
	Kind cell.Kind
	Step int
	Decl *cell.Decl
	Fact *source.Facts
	Stmt *Stmt  // of a variable
	path string // of a package

	Typ      types.Type  // of a variable
	types    []*Instance // the types of the notebook in typ
	Same     *Entity     // an earlier declaration of the same variable
	Used     bool        // of a variable: some code uses it
	isResult bool        // it is the value of a cell, Out[3]
	Values   int         // how many values the cell has; the entity is the first one. Zero if it is not known
	WithErr  bool        // the second value is an error that a call returns beside the first one
	GoName   string      // of a variable: its name in the program, which package translate chooses
}

// A Target is the meaning of a name at one place.
type Target struct {
	Entity   *Entity
	Path     string // of a package
	IsMember bool   // the name belongs to the package, which was imported with a dot
	Text     string // the text of a cell, as a string literal
	Ctx      bool
}

// Selector returns what follows the package's name.
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

// Lookup returns the meaning of a name that a function or declaration uses, at a step.
func (b *Book) Lookup(k int, r cell.Ref) Target {
	return b.find(b.Tables[k], k, r)
}

// LookupIn returns the meaning of a name in a statement.
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
