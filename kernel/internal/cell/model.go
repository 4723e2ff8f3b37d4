package cell

import "strings"

// A Cell is a parsed cell.
type Cell struct {
	N          int // execution count
	Src        string
	Package    bool // it has a package clause: it is a complete file
	Directives []DirectiveLine
	Imports    []ImportSpec
	Decls      []*Decl    // in source order; with var declarations if the cell has no statements
	Stmts      []*Stmt    // in source order; with var declarations if the cell has statements
	Linknames  []Linkname // in source order
	Builds     []BuildLine
	Result     int  // index in Stmts of the last statement if it is an expression, or -1
	HideResult bool // a semicolon follows the last statement
	Timed      bool // it has %%time: its run time is measured

	form form
}

// A DirectiveLine is a line that the session runs: % and ! commands.
type DirectiveLine struct {
	Pos  Pos
	Name string // first word with its sigil: "%env", "!", "%%writefile"
	Args string // the rest of the line
	Body string // the text after the line, for a cell magic
	Rest bool   // it is a cell magic: the rest of the cell belongs to it
	// Function is the name of the function that %exec calls, "" if the argument is not a name.
	Function string
}

// An ImportSpec is one import of a cell. Name is empty if the import has no name.
type ImportSpec struct {
	Name, Path string
	Pos        Pos
}

// A Linkname is a //go:linkname line.
type Linkname struct {
	Local, Remote string // Remote is empty if the line names no symbol
	Text          string
	Pos           Pos
	Own           bool // it is in the doc comment of the function Local
}

// A BuildLine is a //go:build line.
type BuildLine struct {
	Text string
	Pos  Pos
}

// An Example holds the expected output from the comment at the end of an example function.
type Example struct {
	Output    string
	Unordered bool
	Runs      bool // the comment has an Output line, even if the output is empty
}

// A Ref is a use of an identifier in a piece of source that does not declare it locally.
type Ref struct {
	Name string
	Off  int    // byte offset in the Source's Text
	Sel  string // the name that is selected from it, as in Name.Sel, or ""
	// Key marks a key of a composite literal that may be a field name.
	Key bool
	// Top marks a variable that the cell's own statements define.
	Top bool
}

// A Source is a part of a cell's text with the identifiers that it uses.
type Source struct {
	Text string
	Pos  Pos // position of its first byte in the cell
	Refs []Ref
	Sels []string // all names that are selected from something
	// Literals are the function literals whose code may still be used after the declaration or statement around
	// them has run: those that are not called immediately. Methods are the names that are selected in these
	// literals, and the names that are selected anywhere without a call, as in method values.
	Literals []Span
	Methods  []string
	// Outermost are all function literals that are not inside another literal.
	Outermost []Outermost
	// Ancestors are the names of the types that a type, or a type declared in a function or statement, embeds or is
	// defined as: the type may have their methods.
	Ancestors []string
}

// An Outermost is a function literal that is not inside another literal.
type Outermost struct {
	Span
	// Captures says that it uses local declarations of the function or statement
	// around it.
	Captures bool
}

// A Decl is one top-level declaration. Each specification of a type or var group is a separate Decl.
// A group of constants, which may repeat expressions, is one Decl.
type Decl struct {
	Source
	Kind    Kind // Func, Type, Const or Var
	Keyword string
	Names   []Ref  // declared names and their offsets in Text, with blank identifiers
	Recv    string // the receiver's type name, for a method
	PtrRecv bool
	Generic bool // it or its receiver has type parameters
	Body    int  // offset of a function's body in Text, or -1
	FuncEnd int  // offset in Text where a function begins after its doc comment
	Alias   bool
	Embed   bool     // a Var with //go:embed lines
	Var     *VarSpec // for Var

	Linkname bool     // the doc comment has a //go:linkname line
	Directed bool     // the doc comment has a //go: line
	Nullary  bool     // a function without receiver, type parameters, parameters and results
	Example  *Example // for an example function
}

// A Role says whether a statement is in the text of the cell, or for which directive it was added.
type Role uint8

// The roles of statements.
const (
	Written    Role = iota // the statement is in the text
	ParseFlags             // the call of flag.Parse for %%
	CallInit               // a call of an init_NAME function, which GoNB calls before main
	CallExec               // a call for %exec
)

// A VarSpec holds the parts of a variable specification as offsets in Text.
type VarSpec struct {
	NamesEnd             int
	TypeStart, TypeEnd   int // equal if there is no type
	ValueStart, ValueEnd int // equal if there are no values
	Values               []Span
}

// A Span is a range of byte offsets; End is excluded.
type Span struct{ Start, End int }

// A Stmt is one statement at the top level of a cell, or one var specification.
type Stmt struct {
	Source
	Define   int    // offset of := at the top level, or -1
	Names    []Ref  // the names on the left of :=, or after var, with blank identifiers
	New      []bool // for each of Names, whether the cell declares it here
	Var      *VarSpec
	Values   []Span   // the right side of :=
	Expr     *Span    // the expression if the statement is one, else nil
	Call     bool     // Expr is a call or a receive, which Go allows as a statement
	Assigned []string // names of variables on the left of =
	Embed    string   // the patterns of a var's //go:embed lines
	Role     Role
	// Starts and Stops say that the measurement of %time begins or ends with the statement.
	Starts, Stops bool
	Loop          *Loop // set if %timeit repeats it
}

// PosIn converts an offset in the source's text to a position in its cell.
func (s Source) PosIn(off int) Pos {
	before := s.Text[:off]
	n := strings.Count(before, "\n")
	if n == 0 {
		return Pos{Line: s.Pos.Line, Col: s.Pos.Col + off}
	}
	return Pos{Line: s.Pos.Line + n, Col: off - strings.LastIndexByte(before, '\n')}
}
