package cell

import "strings"

// A Cell is a parsed cell.
type Cell struct {
	N          int // execution count
	Src        string
	Package    bool // the cell has a package clause: it is a complete file
	Directives []DirectiveLine
	Imports    []ImportSpec
	Decls      []*Decl    // in source order; they include var declarations if the cell has no statements
	Stmts      []*Stmt    // in source order; they include var declarations if the cell has statements
	Linknames  []Linkname // in source order
	Builds     []BuildLine
	Result     int  // index in Stmts of the last statement if it is an expression, or -1
	HideResult bool // a semicolon follows the last statement
	Timed      bool // the cell has %%time, which measures its run time

	form form
}

// A DirectiveLine is a line with a command that begins with % or !. The session runs the command.
type DirectiveLine struct {
	Pos  Pos
	Name string // first word with its leading signs: "%env", "!", "%%writefile"
	Args string // the rest of the line, after the name
	Body string // for a cell magic: the text of the cell after the line
	Rest bool   // the directive is a cell magic: the rest of the cell is its Body
	// Function is the name of the function that %exec calls, or "" if the argument is not a name.
	Function string
}

// An ImportSpec is one import of a cell. Name is empty if the import has no name.
type ImportSpec struct {
	Name, Path string
	Pos        Pos
}

// A Linkname is a //go:linkname line.
type Linkname struct {
	Local, Remote string // the name in Go and the link symbol; Remote is empty if the line has no link symbol
	Text          string
	Pos           Pos
	Own           bool // the line is in the doc comment of the function Local
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
	Runs      bool // the comment has an Output line, perhaps with an empty output: the example can run
}

// A Ref is an identifier at a place in a Source. The Refs of a Source are the identifiers that it uses but does not
// declare locally.
type Ref struct {
	Name string
	Off  int    // byte offset in the Text of the Source
	Sel  string // the name after the dot if the identifier is x in a selector x.Sel, else ""
	// Key says that the identifier is a key of a composite literal, and so may be the name of a field.
	Key bool
	// Top says that the identifier means a variable that the cell's own statements define.
	Top bool
}

// A Source is a part of a cell's text with the identifiers that it uses.
type Source struct {
	Text string
	Pos  Pos // position of the first byte of Text in the cell
	Refs []Ref
	Sels []string // all names that follow a dot in a selector
	// Literals are the function literals whose code may still be used after the declaration or statement around them
	// has run: all literals that are not called immediately. Methods are the names that are selected in these
	// literals, and the names that are selected anywhere without a call, as in method values.
	Literals []Span
	Methods  []string
	// Outermost are all function literals that are not inside another literal.
	Outermost []Outermost
	// Ancestors are the names of the types that a type embeds, or by which it is defined. The type may have the
	// methods of its ancestors. Types that are declared in functions and statements count, too.
	Ancestors []string
}

// An Outermost is a function literal that is not inside another literal.
type Outermost struct {
	Span
	// Captures says that the literal uses local declarations of the function or statement around it.
	Captures bool
}

// A Decl is one top-level declaration. Each specification of a type or var group is a separate Decl.
// A group of constants, which may repeat expressions, is one Decl.
type Decl struct {
	Source
	Kind    Kind // Func, Type, Const or Var
	Keyword string
	Names   []Ref  // declared names, also blank identifiers, with their offsets in Text
	Recv    string // name of the receiver's type if the declaration is a method
	PtrRecv bool
	Generic bool // the declaration or its receiver has type parameters
	Body    int  // offset of a function's body in Text, or -1
	FuncEnd int  // offset in Text at which a function begins, after its doc comment
	Alias   bool
	Embed   bool     // the declaration is a variable with go:embed lines
	Var     *VarSpec // the parts of a var specification; nil for other kinds

	Linkname bool     // the doc comment has a //go:linkname line
	Directed bool     // the doc comment has a //go: line
	Nullary  bool     // the declaration is a function without receiver, type parameters, parameters and results
	Example  *Example // expected output if the declaration is an example function, else nil
}

// A Role says whether a statement is in the text of the cell, or for which directive it was added.
type Role uint8

// The roles of statements.
const (
	Written    Role = iota // the statement is in the text of the cell
	ParseFlags             // a call of flag.Parse, which the directive %% or %main adds
	CallInit               // a call of an init_NAME function, which GoNB calls before main
	CallExec               // a call of the function that %exec names
)

// A VarSpec holds the parts of a variable specification, as offsets in the Text of its Decl or Stmt.
type VarSpec struct {
	NamesEnd             int
	TypeStart, TypeEnd   int // equal if the specification has no type
	ValueStart, ValueEnd int // equal if the specification has no values
	Values               []Span
}

// A Span is a range of byte offsets; End is excluded.
type Span struct{ Start, End int }

// A Stmt is one statement at the top level of a cell, or one var specification.
type Stmt struct {
	Source
	Define   int    // offset of := at the top level, or -1
	Names    []Ref  // the names on the left of :=, or after var, also blank identifiers
	New      []bool // for each of Names, whether this statement declares the name
	Var      *VarSpec
	Values   []Span   // the expressions on the right side of :=
	Expr     *Span    // the expression if the statement is an expression, else nil
	Call     bool     // Expr is a call or a receive, which Go allows as a statement
	Assigned []string // names of the variables on the left of =
	Embed    string   // the patterns of a var's //go:embed lines
	Role     Role
	// Starts and Stops say that a measurement of %time begins before the statement, or ends after it.
	Starts, Stops bool
	Loop          *Loop // not nil if %timeit repeats the statement
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
