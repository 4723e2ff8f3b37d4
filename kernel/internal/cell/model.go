package cell

import "strings"

// A Cell is the text of one cell, taken apart.
type Cell struct {
	N          int
	Src        string
	Package    bool // has a package clause: a whole file
	Directives []DirectiveLine
	Imports    []ImportSpec
	Decls      []*Decl    // in their order; vars too if the cell has no statements
	Stmts      []*Stmt    // in their order; vars too if the cell has statements
	Linknames  []Linkname // in their order
	Builds     []BuildLine
	Result     int  // index in Stmts of the last statement if it is an expression, or -1
	HideResult bool // a semicolon follows it
	Timed      bool // %%time: what it takes is measured

	form form
}

// A DirectiveLine is a line that the session runs: % and ! commands.
type DirectiveLine struct {
	Pos  Pos
	Name string // first word with its sigil: "%env", "!", "%%writefile"
	Args string // the rest of the line
	Body string // what follows, for a cell magic
	Rest bool   // it is a cell magic: all that follows is its
	// Function is what %exec calls, "" if that is not written as a name is.
	Function string
}

// An ImportSpec is one import of a cell. Name is empty if it is the package's own.
type ImportSpec struct {
	Name, Path string
	Pos        Pos
}

// A Linkname is a //go:linkname line.
type Linkname struct {
	Local, Remote string // Remote is empty if the line names no symbol
	Text          string
	Pos           Pos
	Own           bool // it is in the doc comment of the function it is for
}

// A BuildLine is a //go:build line.
type BuildLine struct {
	Text string
	Pos  Pos
}

// An Example says what the comment at the end of an example announces.
type Example struct {
	Output    string
	Unordered bool
	Runs      bool // it announces an output, which may be empty
}

// A Ref is an identifier that is not declared within the piece that uses it.
type Ref struct {
	Name string
	Off  int    // in the piece's text
	Sel  string // what follows a dot, if anything does
	// Key marks the key of a composite literal: a field or a value.
	Key bool
	// Top marks a variable that the cell's own statements define.
	Top bool
}

// A Source is a piece of a cell's text with the identifiers it needs.
type Source struct {
	Text string
	Pos  Pos // of its first byte
	Refs []Ref
	Sels []string // all names that are selected from something
	// Literals are the function literals whose code may outlive the run of what
	// they stand in. Methods are the names that they select, and those that are
	// selected anywhere as values, not to be called.
	Literals []Span
	Methods  []string
	// Outermost are all function literals that are in no other.
	Outermost []Outermost
	// Ancestors are the types that a type, or one declared in a function or statement, has the promoted methods of, as
	// far as they are written.
	Ancestors []string
}

// An Outermost is a function literal that is in no other one.
type Outermost struct {
	Span
	// Captures says that it uses variables of the function or statement around
	// it.
	Captures bool
}

// A Decl is one top-level declaration. Groups of types and vars are taken
// apart; a group of constants, which may repeat expressions, is one Decl.
type Decl struct {
	Source
	Kind    Kind // Func, Type, Const or Var
	Keyword string
	Names   []Ref  // declared names and their places in Text, blanks included
	Recv    string // the receiver's type name, for a method
	PtrRecv bool
	Generic bool // has type parameters, or its receiver has
	Body    int  // offset of a function's body in Text, or -1
	FuncEnd int  // offset in Text where a function begins after its doc comment
	Alias   bool
	Embed   bool     // a Var with //go:embed lines
	Var     *VarSpec // for Var

	Linkname bool     // the doc comment has a //go:linkname line
	Directed bool     // the doc comment has a line for the compiler
	Nullary  bool     // a function without receiver, type parameters, parameters and results
	Example  *Example // of a function that is an example
}

// A Role says for what a statement stands that the cell's Go does not have.
type Role uint8

// The roles of statements.
const (
	Written    Role = iota // it is in the text
	ParseFlags             // the call of flag.Parse that %% means
	CallInit               // a call of a function that GoNB calls before main
	CallExec               // the calls that %exec means
)

// A VarSpec gives the parts of a variable specification as offsets in Text.
type VarSpec struct {
	NamesEnd             int
	TypeStart, TypeEnd   int // equal if there is no type
	ValueStart, ValueEnd int // equal if there are no values
	Values               []Span
}

// A Span is a range of bytes.
type Span struct{ Start, End int }

// A Stmt is one statement at the top of a cell, or one var specification.
type Stmt struct {
	Source
	Define   int    // offset of := at the top level, or -1
	Names    []Ref  // what := or var has on its left, blanks included
	New      []bool // for each of Names, whether the cell declares it here
	Var      *VarSpec
	Values   []Span   // the right side of :=
	Expr     *Span    // the expression, if that is all there is
	Call     bool     // Expr is a call or a receive, which Go lets stand alone
	Assigned []string // variables that = gives a value as a whole
	Embed    string   // the patterns of a var's //go:embed lines
	Role     Role
	// Starts and Stops say that %time begins or ends to measure with it.
	Starts, Stops bool
	Loop          *Loop // of a block that is repeated
}

// entryName is the function that holds the statements while they are parsed.

// PosIn converts an offset in the source's text to a place in its cell.
func (s Source) PosIn(off int) Pos {
	before := s.Text[:off]
	n := strings.Count(before, "\n")
	if n == 0 {
		return Pos{Line: s.Pos.Line, Col: s.Pos.Col + off}
	}
	return Pos{Line: s.Pos.Line + n, Col: off - strings.LastIndexByte(before, '\n')}
}
