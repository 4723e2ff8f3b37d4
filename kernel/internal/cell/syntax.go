package cell

import (
	"regexp"
	"strings"
)

// atEnd is the end of messages about errors after the last token. Split has checked that all brackets match. So such an error, unless it
// is the first, follows from another one, after which the parser has skipped the end of a function.
const atEnd = ", found the end of the cell"

// invisible matches errors about characters that cannot be seen, which pasted text may contain.
var invisible = regexp.MustCompile(`^illegal character (U\+[0-9A-F]{4,6})$`)

var missingOperand = regexp.MustCompile(`^expected operand, found '?(.*?)'?$`)

var missingSemicolon = regexp.MustCompile(`^expected ';', found '?(.*?)'?$`)

// readable rewrites syntax errors for users who do not know Go's grammar, and leaves out errors that follow from
// others. start returns the offset at which the statement around an offset begins.
func readable(src string, errs Errors, start func(off int) int) Errors {
	var out Errors
	for _, e := range errs {
		if len(out) > 0 && (strings.HasSuffix(e.Msg, atEnd) || isRepeated(out[len(out)-1], e)) {
			continue
		}
		missingBrace(src, e)
		switch {
		case strings.HasPrefix(e.Msg, questionMark):
			e.Msg = "unexpected ?: Go has no such operator; a question about a name, as in strings.Cut?, is a separate cell"
		case e.Msg == "illegal byte order mark":
			e.Msg = "there is an invisible byte order mark (U+FEFF) here: delete it"
		case invisible.MatchString(e.Msg):
			e.Msg = invisible.ReplaceAllString(e.Msg, "there is an invisible character ($1) here: write a blank, or delete it")
		case missingOperand.MatchString(e.Msg):
			e.Msg = missingOperand.ReplaceAllString(e.Msg, "unexpected $1, expected an expression")
			e.Msg = strings.Replace(e.Msg, "unexpected the end", "unexpected end", 1)
		case missingSemicolon.MatchString(e.Msg):
			e.Msg = missingSemicolon.ReplaceAllString(e.Msg, "unexpected $1, expected ; or a new line")
		default:
			e.Msg = strings.Replace(e.Msg, "expected 'IDENT'", "expected a name", 1)
			e.Msg = strings.Replace(e.Msg, "expected '==', found '='", "unexpected =, expected ==", 1)
		}
		advise(src, e, start(offsetOf(src, e.Pos)))
		e.Source = Line(src, e.Pos.Line)
		out = append(out, e)
	}
	return out
}

// questionMark begins messages about a question mark in code.
const questionMark = "illegal character U+003F"

// isRepeated reports whether e is about the second mark of the operator ?? whose first mark the error before is about.
func isRepeated(before, e *Error) bool {
	return strings.HasPrefix(e.Msg, questionMark) && e.Pos == Pos{before.Pos.Line, before.Pos.Col + 1}
}

// missingBrace moves the error about a missing brace after the header of an if, for, switch or select statement to
// the end of the header's line.
func missingBrace(src string, e *Error) {
	if !strings.HasPrefix(e.Msg, "expected '{', found ") {
		return
	}
	off := offsetOf(src, e.Pos)
	for line := PosAt(src, off).Line; line > 0; line-- {
		start := offsetOf(src, Pos{Line: line, Col: 1})
		s := tokenLineAt(src, start)
		if len(s.toks) == 0 {
			continue
		}
		keyword := s.word(0)
		if keyword == "}" && s.word(1) == "else" {
			keyword = s.word(2)
		}
		switch keyword {
		case "if", "for", "switch", "select":
		default:
			continue
		}
		if s.index("{") >= 0 || s.index("in") > 0 {
			return
		}
		last := s.toks[len(s.toks)-1]
		if end := last.off + len(s.word(len(s.toks)-1)); off >= end {
			e.Pos = PosAt(src, end)
			e.Msg = "unexpected newline, expected { after the " + keyword + " clause"
			if next := strings.TrimLeft(src[end:], " \t\r\n"); strings.HasPrefix(next, "{") {
				e.Msg += ": write it on the line of the " + keyword
			}
		}
		return
	}
}
