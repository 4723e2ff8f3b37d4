package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// entryName is the name of the function that holds the statements in the composed file.
const entryName = "cellʹ"

// Parse parses a cell. n is the cell's execution count. If the cell has syntax errors, Parse returns only the errors.
func Parse(n int, src string) (*Cell, Errors) {
	return parseCell(n, strings.TrimPrefix(src, byteOrderMark), form{})
}

// byteOrderMark is a character that some editors put before a text.
const byteOrderMark = "\ufeff"

// A form holds options for parsing a cell.
type form struct {
	sequence bool // var declarations are statements in any case
	inits    bool // functions named init_NAME are called
}

// Sequence returns the cell with its var declarations as statements, even if it has no other
// statements. Initializers then run in source order and may use an older
// variable of the same name.
func (c *Cell) Sequence() *Cell { return c.in(form{true, c.form.inits}) }

// in returns the same cell parsed with other options.
func (c *Cell) in(f form) *Cell {
	if c.form == f {
		return c
	}
	out, errs := parseCell(c.N, c.Src, f)
	if errs != nil {
		return c // the same errors are in c
	}
	return out
}

func parseCell(n int, src string, f form) (*Cell, Errors) {
	pieces, faults := Split(src)
	if len(faults) > 0 {
		var errs Errors
		for _, f := range faults {
			if f.Msg == "" {
				continue
			}
			errs = append(errs, errorAt(n, src, f.Off, importHint(src, f.Off, f.Msg)))
		}
		return nil, readable(src, errs, func(off int) int { return off }).Sorted()
	}
	p := &parse{cell: &Cell{N: n, Src: src, Result: -1, form: f}, pieces: pieces}
	p.compose()
	if errs := p.run(); len(errs) > 0 {
		return nil, readable(src, p.onePerPiece(errs), p.codeOf).Sorted()
	}
	p.collect()
	p.program()
	return p.cell, nil
}

func errorAt(n int, src string, off int, msg string) *Error {
	pos := PosAt(src, off)
	return &Error{Cell: n, Pos: pos, Msg: msg, Source: Line(src, pos.Line)}
}

// A parse composes a Go file from the pieces of a cell: declarations
// first, then the statements in a function. marks map offsets of that file to offsets of the cell.
type parse struct {
	cell   *Cell
	pieces []Piece
	text   strings.Builder
	marks  []mark
	file   *ast.File
	base   int // token.Pos of the composed text's first byte
	timed  []timedText

	//lint:ignore SA1019 only which identifier is bound where, within one function
	inEntry map[*ast.Object]bool
	free    map[*ast.Ident]bool
}

type mark struct {
	at, src, length int // offsets in the composed text and in the cell
}

func (p *parse) compose() {
	hasStmts := p.cell.form.sequence
	for _, pc := range p.pieces {
		hasStmts = hasStmts || pc.Kind == Statement || pc.timing != Untimed || pc.Kind == Directive && p.runs(pc)
	}
	for _, pc := range p.pieces {
		if pc.Kind == Package { // comments above the clause may be for the go command
			p.marks = append(p.marks, mark{p.text.Len(), pc.Start, pc.Code - pc.Start})
			p.text.WriteString(p.cell.Src[pc.Start:pc.Code])
		}
	}
	p.text.WriteString("package main\n")
	for _, pc := range p.pieces {
		if pc.Kind == Import { // in a Go file, imports come first
			p.put(pc)
		}
	}
	for _, pc := range p.pieces {
		switch pc.Kind {
		case Package:
			p.cell.Package = true
		case Directive:
			d := directive(p.cell.Src, pc)
			p.cell.Directives = append(p.cell.Directives, d)
			p.cell.Timed = p.cell.Timed || d.Name == wholeTimeName
		case Func, Type, Const:
			p.put(pc)
		case Var:
			if !hasStmts {
				p.put(pc)
			}
		}
	}
	for _, pc := range p.pieces {
		if pc.bench {
			p.cell.Directives = append(p.cell.Directives, directive(p.cell.Src, Piece{Code: pc.Code, Stop: pc.code}))
		}
	}
	if !hasStmts {
		return
	}
	p.text.WriteString("func " + entryName + "() {\n")
	list := p.lastList()
	for i, pc := range p.pieces {
		if pc.Kind == Statement || pc.Kind == Var {
			switch {
			case i == list:
				p.putList(pc)
			case pc.timing != Untimed:
				p.putTimed(pc)
			default:
				p.put(pc)
			}
			if pc.Kind == Statement {
				p.cell.HideResult = strings.HasPrefix(p.cell.Src[pc.Stop:], ";")
			}
		}
	}
	p.text.WriteString("}\n")
}

// runs reports whether a directive adds statements, or measures the time of
// initializers, so that these must be statements.
func (p *parse) runs(pc Piece) bool {
	d := directive(p.cell.Src, pc)
	return d.Name == wholeTimeName || d.Name == wholeTraceName || programNames[d.Name] || d.Function != ""
}

func (p *parse) put(pc Piece) {
	p.marks = append(p.marks, mark{p.text.Len(), pc.Start, pc.End - pc.Start})
	p.text.WriteString(p.cell.Src[pc.Start:pc.End])
	p.text.WriteString("\n")
}

// listName is the name of a function in the composed file. The expressions of a list become the arguments of a call of it.
const listName = "listʹ"

// lastList returns the index of the last statement if that is a list of
// expressions, such as x, ok; else -1. Go has no such statement; a cell shows the values.
func (p *parse) lastList() int {
	for i := len(p.pieces) - 1; i >= 0; i-- {
		pc := p.pieces[i]
		if pc.Kind != Statement {
			continue
		}
		text := p.cell.Src[max(pc.Code, pc.code):pc.Stop]
		if !strings.Contains(text, ",") {
			return -1
		}
		x, err := parser.ParseExpr(listName + "(" + text + ")")
		if call, ok := x.(*ast.CallExpr); err == nil && ok && len(call.Args) > 1 && !call.Ellipsis.IsValid() {
			return i
		}
		return -1
	}
	return -1
}

func (p *parse) putList(pc Piece) {
	start := pc.Start
	if pc.timing == Timed {
		start = pc.code
		p.timed = append(p.timed, timedText{from: p.text.Len(), to: p.text.Len() + len(listName) + pc.Stop - start, measured: pc.measured})
	}
	p.text.WriteString(listName + "(")
	p.marks = append(p.marks, mark{p.text.Len(), start, pc.Stop - start})
	p.text.WriteString(p.cell.Src[start:pc.Stop] + ")\n")
}

func directive(src string, pc Piece) DirectiveLine {
	d := DirectiveLine{Pos: PosAt(src, pc.Code)}
	text := strings.TrimPrefix(src[pc.Code:pc.Stop], gonbPrefix)
	if magicName(text) != "" {
		d.Rest = true
		text, d.Body, _ = strings.Cut(text, "\n")
	}
	text = strings.TrimRight(text, " \t\r\n")
	if text[0] == '!' {
		d.Name, d.Args = "!", text[1:]
		if strings.HasPrefix(text, "!*") {
			d.Name, d.Args = "!*", text[2:]
		}
		return d
	}
	d.Name = text
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		d.Name, d.Args = text[:i], strings.TrimSpace(text[i:])
	}
	if d.Name == execName {
		d.Function = functionName(d.Args)
	}
	return d
}

func (p *parse) run() Errors {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", p.text.String(), parser.ParseComments)
	if err != nil {
		var errs Errors
		list, ok := err.(scanner.ErrorList)
		if !ok {
			return Errors{{Cell: p.cell.N, Msg: err.Error()}}
		}
		for _, e := range list {
			off, msg := p.place(e.Pos.Offset, e.Msg)
			if msg == "expected 1 expression" {
				msg += ": a list of values is shown only at the end of a cell"
			}
			errs = append(errs, errorAt(p.cell.N, p.cell.Src, off, importHint(p.cell.Src, off, msg)))
		}
		return errs
	}
	p.file, p.base = file, int(file.FileStart)
	return nil
}

// onePerPiece keeps only the first error of each piece: the others usually follow from
// the first.
func (p *parse) onePerPiece(errs Errors) Errors {
	var out Errors
	seen := map[int]bool{}
	for _, e := range errs {
		off := offsetOf(p.cell.Src, e.Pos)
		piece := p.codeOf(off)
		if !seen[piece] {
			seen[piece] = true
			out = append(out, e)
		}
	}
	return out
}

// codeOf returns the offset at which the code of the piece around an offset begins.
func (p *parse) codeOf(off int) int {
	code := 0
	for _, pc := range p.pieces {
		if pc.Start <= off {
			code = pc.Code
		}
	}
	return code
}

// srcOffset converts an offset in the composed text to one in the cell. An
// offset outside all pieces becomes the end of the piece before it.
func (p *parse) srcOffset(at int) int {
	off := 0
	for _, m := range p.marks {
		if at < m.at {
			break
		}
		off = m.src + min(at-m.at, m.length)
	}
	return off
}

// place converts the offset of a syntax error in the composed text to one in the cell. An error after the
// end of a piece is in generated text: place moves it to the end of the piece and changes the message.
func (p *parse) place(at int, msg string) (int, string) {
	off := p.srcOffset(at)
	for i, m := range p.marks {
		inside := at >= m.at && at < m.at+m.length
		last := i == len(p.marks)-1 || at < p.marks[i+1].at
		if at < m.at || inside || !last {
			continue
		}
		text := strings.TrimRight(p.cell.Src[:m.src+m.length], " \t\r\n")
		if head, _, ok := strings.Cut(msg, ", found "); ok {
			msg = head + ", found the end of the cell"
		}
		return len(text), msg
	}
	return off, msg
}

func (p *parse) off(pos token.Pos) int { return int(pos) - p.base }

// source returns a part of the composed text as a Source.
func (p *parse) source(start, end token.Pos) Source {
	text := p.text.String()
	from := p.off(start)
	return Source{
		Text: text[from:min(p.off(end), len(text))],
		Pos:  PosAt(p.cell.Src, p.srcOffset(from)),
	}
}
