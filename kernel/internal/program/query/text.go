package query

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// queryCell is the cell number of text that is checked but not executed.
const queryCell = 1 << 30

// A query answers one question about text, with a snapshot of the program.
type query struct {
	snapshot *program.Snapshot
	table    *symtab.Table
	packages *exportdata.Packages
}

func newQuery(p *program.Program) query {
	s := p.Snapshot()
	return query{s, s.Table, s.Packages}
}

// check type-checks text as a cell. at is an offset in the line of the cursor.
// It returns nil if the text cannot be parsed, even with completed syntax.
func (q query) check(src string, at int) *program.Checked {
	c := parseUnfinished(src, at)
	if c == nil {
		return nil
	}
	return q.snapshot.Check(c)
}

// endings are texts that may be missing after the cursor: the block of an if, a for or a switch, the
// call after go or defer, the colon of a case.
var endings = []string{"", " {}", "()", ":"}

// parseUnfinished parses text that the user is writing. If it has syntax errors, parseUnfinished removes the lines
// after the one that contains the offset at, and adds the closing quotes and brackets that are missing. It returns nil
// if no such text can be parsed.
func parseUnfinished(src string, at int) *cell.Cell {
	if text, ok := strings.CutPrefix(src, "\ufeff"); ok { // Parse removes it, and offsets must not change
		src = "   " + text
	}
	c, errs := cell.Parse(queryCell, src)
	if errs == nil {
		return c
	}
	if j := strings.IndexByte(src[at:], '\n'); j >= 0 {
		src = src[:at+j]
	}
	src += openQuote(src)
	for _, brace := range []string{"}", "\n}"} { // a composite literal needs the first form, a line that ends with a comment the second
		inner, outer := closers(src, brace)
		for _, end := range endings {
			for _, tail := range []string{end + inner + outer, inner + end + outer, end + inner + outer + "()"} {
				if c, errs = cell.Parse(queryCell, src+tail); errs == nil {
					return c
				}
			}
		}
	}
	return nil
}

// openQuote returns the quotation mark that closes a string which is open at the end of src, or "".
func openQuote(src string) (mark string) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(at token.Position, msg string) {
		switch {
		case strings.HasPrefix(msg, "raw string literal not terminated"):
			mark = "`"
		case strings.HasPrefix(msg, "string literal not terminated") && !strings.Contains(src[at.Offset:], "\n"):
			mark = `"`
		}
	}, 0)
	for {
		if _, tok, _ := s.Scan(); tok == token.EOF {
			return mark
		}
	}
}

// closers returns the text that closes the brackets which are open at the end of src: inner closes those inside the innermost
// brace, outer that brace and the others.
func closers(src, brace string) (inner, outer string) {
	for _, b := range slices.Backward(openBrackets(src)) {
		closer := map[token.Token]string{token.LPAREN: ")", token.LBRACK: "]", token.LBRACE: brace}[b.tok]
		if outer == "" && b.tok != token.LBRACE {
			inner += closer
		} else {
			outer += closer
		}
	}
	return inner, outer
}

// A bracket is an open bracket, with its operand if it begins a call or an index.
type bracket struct {
	tok     token.Token
	operand int // offset of the last identifier of the operand, or -1
}

// openBrackets lists the brackets that are open at the end of src, the outermost first.
func openBrackets(src string) []bracket {
	var open []bracket
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	operand := -1
	for {
		pos, tok, _ := s.Scan()
		was := operand
		operand = -1
		switch tok {
		case token.IDENT:
			operand = file.Offset(pos)
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, bracket{tok, was})
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if n := len(open); n > 0 {
				if tok == token.RBRACK { // after f[int], the operand is f
					operand = open[n-1].operand
				}
				open = open[:n-1]
			}
		case token.EOF:
			return open
		}
	}
}

// findIdent returns an identifier for which want returns true, or nil, and the selector
// expression whose right side it is, or nil.
func findIdent(r *program.Checked, want func(*ast.Ident) bool) (id *ast.Ident, sel *ast.SelectorExpr) {
	for _, f := range r.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if want(n.Sel) {
					id, sel = n.Sel, n
				}
			case *ast.Ident:
				if id == nil && want(n) {
					id = n
				}
			}
			return true
		})
	}
	return id, sel
}

// wordAt returns the range of the identifier around a cursor.
func wordAt(src string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(src[:start])
		if !isWord(r) {
			break
		}
		start -= n
	}
	for end < len(src) {
		r, n := utf8.DecodeRuneInString(src[end:])
		if !isWord(r) {
			break
		}
		end += n
	}
	return start, end
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
