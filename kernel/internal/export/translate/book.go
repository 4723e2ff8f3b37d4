package translate

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// A book is a notebook on its way to a program.
type book struct {
	opt    Options
	title  string
	steps  []*step
	tables []map[string]*entity // the meaning of names after each step; a method is "T.m"
	pkgs   *exportdata.Packages
	errs   cell.Errors
	idents map[string]bool // all identifiers in the notebook

	functions   []*function
	groups      map[*entity][]*function // of a function, by step
	instances   map[*entity][]*instance // by step
	all         []*instance
	changing    []*changing
	isDecided   bool                       // which of them are variables
	packages    map[string]map[string]bool // import path to the names under which it is used
	isGoNB      bool                       // written for GoNB, which calls functions named init_NAME
	usesFlags   bool                       // something may have declared flags
	hasDisplays bool                       // the program has the flag displays
	usesCtx     bool
	embedded    map[string][]byte // files for //go:embed
	watches     map[*stmt]string  // variables that measure, by the first statement
	kept        map[keptAt]bool   // unused values in repeated statements, of calls
	dots        []string          // the packages that are imported with a dot
	numbered    map[string]bool   // Out[3] and In[3] in the cells
	withError   map[*stmt]bool    // results of calls with a value and an error
	skip        map[int]bool      // execution counts of cells that fail as expected
	mayFail     map[int]bool      // those of the cells tagged raises-exception
	gets        gets
	inferred    *types.Package

	parameters []parameter
	paramStep  int
	main, test *file

	sections  []*section
	sectionOf map[int]*section // by step

	usedUniverse map[string]bool      // predeclared names that are used
	importNames  map[[2]string]string // import path and name in the notebook, to the name in the program
	ctxName      string

	// These fields are found by checks of the program, which is then written again.
	again     bool
	valueKeys map[keyAt]bool   // keys of composite literals that are not fields
	promoted  map[*entity]bool // local variables that Go would call unused
	unused    map[*entity]bool // variables that nothing reads or writes
	results   map[*stmt]result // how values of cells are printed
}

// An entity is one declaration of a name.
type entity struct {
	id   int
	name string // as in a table
	kind cell.Kind
	step int
	decl *cell.Decl
	fact *source.Facts
	stmt *stmt  // of a variable
	path string // of a package

	typ      types.Type  // of a variable
	types    []*instance // the types of the notebook in typ
	same     *entity     // an earlier declaration of the same variable
	used     bool        // of a variable
	isResult bool        // it is the value of a cell, Out[3]

	goName     string // of a variable
	scope      *section
	global     bool
	inFunction bool // a declared function uses the variable
}

// variable returns the first declaration of the variable.
func (e *entity) variable() *entity {
	for e.same != nil {
		e = e.same
	}
	return e
}

// A target is the meaning of a name at one place.
type target struct {
	entity   *entity
	path     string // of a package
	isMember bool   // the name is one of the package's, which was imported with a dot
	text     string // the text of a cell, as a string literal
	ctx      bool
}

// selector returns what follows the package's name.
func (t target) selector(r cell.Ref) string {
	if t.isMember {
		return "." + r.Name
	}
	return ""
}

func newBook(opt Options, pkgs *exportdata.Packages) *book {
	return &book{
		opt: opt, pkgs: pkgs, idents: map[string]bool{}, packages: map[string]map[string]bool{},
		groups: map[*entity][]*function{}, instances: map[*entity][]*instance{},
		importNames: map[[2]string]string{}, valueKeys: map[keyAt]bool{}, promoted: map[*entity]bool{}, unused: map[*entity]bool{}, results: map[*stmt]result{}, mayFail: map[int]bool{},
		numbered: map[string]bool{}, kept: map[keptAt]bool{}, embedded: map[string][]byte{}, withError: map[*stmt]bool{},
	}
}

// refuse notes that a part of a cell cannot be exported.
func (b *book) refuse(s *step, pos cell.Pos, format string, args ...any) {
	b.errs = append(b.errs, &cell.Error{Cell: s.cell.N, Pos: pos, Msg: fmt.Sprintf(format, args...), Source: cell.Line(s.cell.Src, pos.Line)})
}

// bind computes the tables.
func (b *book) bind() {
	table := map[string]*entity{}
	ids := 0
	for _, s := range b.steps {
		next := map[string]*entity{}
		for name, e := range table {
			next[name] = e
		}
		add := func(e *entity) {
			if e.id == 0 {
				ids++
				e.id = ids
			}
			e.step = s.index
			next[e.name] = e
		}
		b.remove(s, next)
		for _, im := range s.cell.Imports {
			if strings.HasPrefix(im.Path, gonbModule) {
				b.refuse(s, im.Pos, "package %s shows nothing in a program: show values with package %s", im.Path, displayPackage)
				continue
			}
			if _, err := b.pkgs.Import(im.Path); err != nil {
				b.refuse(s, im.Pos, "%v", err)
				continue
			}
			name := im.Name
			if name == "" {
				name = b.pkgs.Name(im.Path)
			}
			switch name {
			case "_":
				b.importAs(im.Path, "_")
			case ".":
				add(&entity{name: ". " + im.Path, kind: cell.Import, path: im.Path})
				b.dots = append(b.dots, im.Path)
			default:
				add(&entity{name: name, kind: cell.Import, path: im.Path})
			}
		}
		b.bindDecls(s, table, add)
		for _, st := range s.stmts {
			for i, n := range st.Names {
				if n.Name != "_" && st.New[i] {
					add(&entity{name: n.Name, kind: cell.Var, stmt: st})
				}
			}
		}
		b.bindResult(s, add)
		b.tables = append(b.tables, next)
		table = next
	}
}

// gonbModule begins the paths of GoNB's packages, which need a kernel.
const gonbModule = "github.com/janpfeifer/gonb/"

// remove removes the declarations that a cell removes with %rm.
func (b *book) remove(s *step, table map[string]*entity) {
	for _, d := range s.cell.Directives {
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

func (b *book) bindDecls(s *step, table map[string]*entity, add func(*entity)) {
	for _, l := range s.cell.Linknames {
		b.refuse(s, l.Pos, "//go:linkname cannot be exported")
	}
	for _, d := range s.cell.Decls {
		if d.Kind == cell.Func && d.Recv == "" && d.Names[0].Name == "init" {
			s.inits = append(s.inits, d)
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
			if old := table[key]; old != nil && old.decl != nil && n.Name != "_" && source.Same(old.decl, d) {
				continue // the same declaration once more
			}
			e := &entity{name: key, kind: d.Kind, decl: d, fact: f}
			if n.Name == "_" || n.Name == "init" && d.Kind == cell.Func && d.Recv == "" {
				e.name = fmt.Sprintf("%s %d:%d", n.Name, s.index, len(b.instances)) // never looked up
				e.name += fmt.Sprint(d.Pos)
			}
			e.id = id
			add(e)
			id = e.id
		}
	}
}

// lookup returns the meaning of a name that a function or declaration uses, at a step.
func (b *book) lookup(k int, r cell.Ref) target {
	return b.find(b.tables[k], k, r)
}

// lookupIn returns the meaning of a name in a statement.
func (b *book) lookupIn(st *stmt, r cell.Ref) target {
	k := st.step.index
	e := b.tables[k][r.Name]
	if e == nil || e.kind != cell.Var || e.step != k || r.Top || k == 0 {
		return b.lookup(k, r)
	}
	if old := b.tables[k-1][r.Name]; old != nil {
		return b.find(b.tables[k-1], k, r) // the variable is declared further down
	}
	return b.lookup(k, r)
}

func (b *book) find(table map[string]*entity, k int, r cell.Ref) target {
	if isNumbered(r) {
		return b.findNumbered(table, k, r)
	}
	if table[r.Name] == nil {
		for _, path := range b.dots {
			if table[". "+path] != nil && b.exports(path, r.Name) {
				return target{path: path, isMember: true}
			}
		}
	}
	switch e := table[r.Name]; {
	case e != nil && e.kind == cell.Import:
		return target{path: e.path}
	case e != nil:
		return target{entity: e}
	case r.Name == cell.FlagPackage:
		return target{path: "flag"}
	case types.Universe.Lookup(r.Name) != nil:
		return target{}
	case r.Name == "ctx":
		return target{ctx: true}
	case r.Sel != "":
		return target{path: b.pkgs.ByName(r.Name, b.selected(k, r.Name))}
	}
	return target{}
}

// selected returns the names that a cell selects from a name.
func (b *book) selected(k int, name string) []string {
	var sels []string
	add := func(refs []cell.Ref) {
		for _, r := range refs {
			if r.Name == name && r.Sel != "" && !slices.Contains(sels, r.Sel) {
				sels = append(sels, r.Sel)
			}
		}
	}
	for _, d := range b.steps[k].cell.Decls {
		add(d.Refs)
	}
	for _, st := range b.steps[k].stmts {
		add(st.Refs)
	}
	return sels
}

func (b *book) exports(path, name string) bool {
	pkg, err := b.pkgs.Import(path)
	return err == nil && exportdata.Exports(pkg, name)
}

func (b *book) importAs(path, name string) {
	if b.packages[path] == nil {
		b.packages[path] = map[string]bool{}
	}
	b.packages[path][name] = true
}
