package cell

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// A Kind is the kind of a piece of a cell.
type Kind uint8

// The kinds of pieces. Trivia is white space and comments after the last other piece.
const (
	Trivia Kind = iota
	Directive
	Package
	Import
	Func
	Type
	Const
	Var
	Statement
)

// A Piece is one top-level item of a cell. The pieces of a cell cover its text
// without gaps: a piece begins where the one before it ends.
type Piece struct {
	Kind  Kind
	Start int // offset of the white space and comments before the code
	Code  int // offset of the first token
	Stop  int // offset after the last token, without a semicolon
	End   int // offset of the next piece

	measured // for a statement after %time or %timeit
}

// A Fault is a syntax error that Split found.
type Fault struct {
	Off        int
	Msg        string
	Incomplete bool // more text could correct the error
	Depth      int  // number of open brackets, if Incomplete is true
}

// Split divides the text of a cell into its top-level pieces. It reports only faults in
// brackets, tokens and timing directives. The pieces cover the text even if there are faults.
func Split(src string) ([]Piece, []Fault) {
	s := &splitter{src: src}
	for pos := 0; pos < len(src); {
		pos = s.next(pos)
	}
	return s.pieces, s.faults
}

type splitter struct {
	src    string
	pieces []Piece
	faults []Fault
}

// next appends the piece that starts at pos and returns its end.
func (s *splitter) next(pos int) int {
	code := s.skipTrivia(pos)
	p := Piece{Start: pos, Code: code}
	switch {
	case code == len(s.src):
		p.Kind, p.Stop, p.End = Trivia, code, code
	case s.isDirective(code):
		if m, ok := s.measured(code); ok {
			s.timed(&p, m)
			break
		}
		p.Kind = Directive
		p.Stop = s.directiveEnd(code)
		p.End = min(p.Stop+1, len(s.src))
	default:
		s.item(&p)
	}
	s.pieces = append(s.pieces, p)
	return p.End
}

// fault notes a fault. It ignores faults after the first few, except incomplete ones: these come
// last, and IsComplete needs them.
func (s *splitter) fault(f Fault) {
	if len(s.faults) < 2*MaxErrors || f.Incomplete {
		s.faults = append(s.faults, f)
	}
}

// skipTrivia returns the offset of the next token at or after pos.
func (s *splitter) skipTrivia(pos int) int {
	for pos < len(s.src) {
		rest := s.src[pos:]
		switch {
		case strings.ContainsRune(" \t\r\n;", rune(rest[0])):
			pos++
		case pos == 0 && strings.HasPrefix(rest, "\ufeff"):
			pos += len("\ufeff")
		case strings.HasPrefix(rest, gonbPrefix) && s.isDirective(pos):
			return pos
		case strings.HasPrefix(rest, "//"):
			pos += lineLen(rest)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				s.fault(Fault{Off: pos, Msg: "comment not terminated", Incomplete: true})
				return len(s.src)
			}
			pos += 2 + end + 2
		default:
			return pos
		}
	}
	return pos
}

func lineLen(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i
	}
	return len(text)
}

// gonbPrefix makes a directive a comment for tools that expect Go.
const gonbPrefix = "//gonb:"

func (s *splitter) isDirective(pos int) bool {
	text := strings.TrimPrefix(s.src[pos:], gonbPrefix)
	if !strings.HasPrefix(text, "%") && !strings.HasPrefix(text, "!") {
		return false
	}
	line := s.src[strings.LastIndexByte(s.src[:pos], '\n')+1 : pos]
	return strings.Trim(line, " \t\r\ufeff") == ""
}

// directiveEnd returns the end of the directive at pos. A backslash at
// the end of a line continues it. A cell magic (%%name) takes the rest of the cell,
// except %%time, %%bench, %%trace and %%prof, which Go code follows.
func (s *splitter) directiveEnd(pos int) int {
	if magicName(strings.TrimPrefix(s.src[pos:], gonbPrefix)) != "" {
		return len(s.src)
	}
	for end := pos; ; {
		end += lineLen(s.src[end:])
		if end == len(s.src) || !strings.HasSuffix(strings.TrimSuffix(s.src[pos:end], "\r"), `\`) {
			return end
		}
		end++
	}
}

// magicName returns the name of a cell magic that takes the rest of the cell:
// text that starts with %% and a letter, except the names above. It returns "" for other text.
func magicName(text string) string {
	rest, ok := strings.CutPrefix(text, "%%")
	if !ok {
		return ""
	}
	end := 0
	for end < len(rest) && (rest[end] == '_' || rest[end]|0x20 >= 'a' && rest[end]|0x20 <= 'z') {
		end++
	}
	switch name := rest[:end]; "%%" + name {
	case wholeTimeName, BenchName, wholeTraceName, wholeProfName:
		return ""
	default:
		return name
	}
}

type tok struct {
	kind token.Token
	lit  string
	off  int
}

// item scans one declaration or statement from p.Code and completes p.
func (s *splitter) item(p *Piece) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(s.src)-p.Code)
	var sc scanner.Scanner
	sc.Init(file, []byte(s.src[p.Code:]), func(at token.Position, msg string) {
		off := p.Code + at.Offset
		open := strings.HasPrefix(msg, "raw string") || strings.HasPrefix(msg, "comment not")
		s.fault(Fault{Off: off, Msg: msg, Incomplete: open})
	}, 0)
	var toks []tok
	var open []tok
	var broken *Fault // the first newline that Go does not allow inside an open bracket
	for {
		pos, kind, lit := sc.Scan()
		t := tok{kind, lit, p.Code + file.Offset(pos)}
		if kind == token.EOF {
			s.unclosed(open, toks, broken)
			p.Stop, p.End = len(s.src), len(s.src)
			break
		}
		if kind == token.SEMICOLON && len(open) == 0 && s.ends(p, toks, t) {
			p.Stop, p.End = t.off, s.endOfTerminator(t)
			break
		}
		toks = append(toks, t)
		if n := len(open); n > 0 && kind == token.SEMICOLON && lit == "\n" && open[n-1].kind != token.LBRACE && broken == nil {
			broken = &Fault{Off: t.off, Depth: n, Msg: newlineIn(s.src, open[n-1])}
		}
		if n := len(open); broken != nil && n < broken.Depth {
			broken = nil
		}
		switch kind {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, t)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open = s.closeBracket(open, t)
		}
	}
	p.Kind = classify(toks)
}

func (s *splitter) closeBracket(open []tok, t tok) []tok {
	n := len(open) - 1
	if n < 0 {
		s.fault(Fault{Off: t.off, Msg: "unexpected " + t.kind.String()})
		return open
	}
	if want := partner(open[n].kind); t.kind != want {
		s.fault(Fault{Off: t.off, Msg: "unexpected " + t.kind.String() + ", expected " + want.String()})
	}
	return open[:n]
}

func partner(open token.Token) token.Token {
	switch open {
	case token.LPAREN:
		return token.RPAREN
	case token.LBRACK:
		return token.RBRACK
	}
	return token.RBRACE
}

// newlineIn returns the message for a newline that Go does not allow inside the bracket open.
func newlineIn(src string, open tok) string {
	return "unexpected newline; possibly missing comma or " + partner(open.kind).String() + " for the " + open.kind.String() + " at " + posText(PosAt(src, open.off))
}

// unclosed notes a fault for the innermost bracket that is open at the end of the cell. If there is a newline that Go does not allow
// inside the bracket, the fault is there. If a string in the line of the bracket is not terminated, the
// fault has no message, since the message about the string suffices.
func (s *splitter) unclosed(open, toks []tok, broken *Fault) {
	if len(open) == 0 {
		return
	}
	t := open[len(open)-1]
	f := Fault{
		Off: len(strings.TrimRight(s.src, " \t\r\n")),
		Msg: "missing " + partner(t.kind).String() + " for the " + t.kind.String() + " at " + posText(PosAt(s.src, t.off)),
	}
	if broken != nil {
		f = *broken
	}
	f.Incomplete, f.Depth = true, len(open)
	for i, x := range toks {
		if x == t && i+1 < len(toks) && t.kind == token.LPAREN && toks[i+1].kind == token.LBRACE {
			f.Off, f.Msg = toks[i+1].off, "unexpected {, expected )"
		}
	}
	line := PosAt(s.src, t.off).Line
	for _, other := range s.faults {
		if PosAt(s.src, other.Off).Line == line && strings.HasPrefix(other.Msg, "string literal not terminated") {
			f.Msg = "" // only IsComplete uses the fault
		}
	}
	s.fault(f)
}

// endOfTerminator returns the end of a semicolon and of the blanks and the comment that
// follow on its line, if nothing else does.
func (s *splitter) endOfTerminator(t tok) int {
	end := t.off
	if t.lit != "\n" {
		end++
	}
	rest := s.src[end:]
	line := rest[:lineLen(rest)]
	if trimmed := strings.TrimLeft(line, " \t\r"); trimmed == "" || strings.HasPrefix(trimmed, "//") {
		return min(end+len(line)+1, len(s.src))
	}
	return end
}

// ends reports whether the semicolon t ends the item. The header of an if, for or
// switch statement may have semicolons, too. Such a statement ends after a
// closing brace, and only if the text before is a complete statement, since a header
// may contain a function literal.
func (s *splitter) ends(p *Piece, toks []tok, t tok) bool {
	if !isControl(toks) {
		return true
	}
	if toks[len(toks)-1].kind != token.RBRACE {
		return false
	}
	if t.lit == "\n" {
		return true
	}
	text := "package p; func _() { " + s.src[p.Code:t.off] + "\n}"
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	return err == nil
}

func isControl(toks []tok) bool {
	for len(toks) > 2 && toks[0].kind == token.IDENT && toks[1].kind == token.COLON {
		toks = toks[2:]
	}
	if len(toks) == 0 {
		return false
	}
	switch toks[0].kind {
	case token.IF, token.FOR, token.SWITCH, token.SELECT:
		return true
	}
	return false
}

func classify(toks []tok) Kind {
	if len(toks) == 0 {
		return Statement
	}
	switch toks[0].kind {
	case token.PACKAGE:
		return Package
	case token.IMPORT:
		return Import
	case token.TYPE:
		return Type
	case token.CONST:
		return Const
	case token.VAR:
		return Var
	case token.FUNC:
		if isFuncDecl(toks[1:]) {
			return Func
		}
	}
	return Statement
}

// isFuncDecl distinguishes a function or method declaration from a function literal by
// the tokens after func. A declaration has a name, or a receiver and a name followed by
// parameters, or type parameters as in func (T) m[P any](). In a literal, the body follows
// a result type such as T[P].
func isFuncDecl(toks []tok) bool {
	if len(toks) == 0 {
		return true
	}
	if toks[0].kind != token.LPAREN {
		return toks[0].kind == token.IDENT
	}
	toks = skipGroup(toks)
	if len(toks) < 2 || toks[0].kind != token.IDENT {
		return false
	}
	toks = toks[1:]
	if toks[0].kind == token.LBRACK {
		toks = skipGroup(toks)
	}
	return len(toks) > 0 && toks[0].kind == token.LPAREN
}

// skipGroup returns the tokens after the bracketed group that toks begins with.
func skipGroup(toks []tok) []tok {
	depth := 0
	for i, t := range toks {
		switch t.kind {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if depth--; depth == 0 {
				return toks[i+1:]
			}
		}
	}
	return nil
}
