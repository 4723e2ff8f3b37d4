package translate

import "github.com/perijove/perijove/kernel/internal/export/resolve"

// A translation holds the state of the translation of a notebook to a program.
type translation struct {
	*resolve.Book
	opt Options

	before      map[*resolve.Step][]func(*file) // write the code for directives, before the statements
	comments    map[*resolve.Step][]string      // directives that are kept as comments
	gets        gets
	changing    []*changing
	isDecided   bool                       // which of them are variables
	packages    map[string]map[string]bool // import path to the names under which it is used
	usesFlags   bool                       // something may have declared flags
	hasDisplays bool                       // the program has the flag displays
	embedded    map[string][]byte          // files for //go:embed
	watches     map[*resolve.Stmt]string   // variables that measure, by the first statement
	kept        map[keptAt]bool            // unused values of calls in repeated statements

	parameters []parameter
	paramStep  int
	main, test *file

	sections   []*section
	sectionOf  map[int]*section             // by step
	scope      map[*resolve.Entity]*section // in which the variable is declared
	isGlobal   map[*resolve.Entity]bool     // the variable is declared at package level
	inFunction map[*resolve.Entity]bool     // a declared function uses the variable

	usedUniverse map[string]bool      // predeclared names that are used
	importNames  map[[2]string]string // import path and name in the notebook, to the name in the program
	ctxName      string

	// These fields are found by checks of the program, which is then written again.
	again     bool
	valueKeys map[keyAt]bool           // keys of composite literals that are not fields
	promoted  map[*resolve.Entity]bool // local variables that the compiler would report as unused
	unused    map[*resolve.Entity]bool // variables that nothing reads or writes
	results   map[*resolve.Stmt]result // how values of cells are printed
}

func newTranslation(opt Options, b *resolve.Book) *translation {
	return &translation{
		Book: b, opt: opt, before: map[*resolve.Step][]func(*file){}, comments: map[*resolve.Step][]string{}, packages: map[string]map[string]bool{},
		embedded: map[string][]byte{}, kept: map[keptAt]bool{}, scope: map[*resolve.Entity]*section{},
		isGlobal: map[*resolve.Entity]bool{}, inFunction: map[*resolve.Entity]bool{}, importNames: map[[2]string]string{}, valueKeys: map[keyAt]bool{},
		promoted: map[*resolve.Entity]bool{}, unused: map[*resolve.Entity]bool{}, results: map[*resolve.Stmt]result{},
	}
}

// addNames notes the names that the program needs in addition to the names in its code: blank imports, and constants
// that function literals use and that later cells change.
func (b *translation) addNames() {
	for _, path := range b.Blank {
		b.importAs(path, "_")
	}
	for _, name := range b.Followed {
		b.changing = append(b.changing, &changing{name: name})
	}
}
