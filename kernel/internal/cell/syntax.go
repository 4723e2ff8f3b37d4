package cell

import (
	"regexp"
	"strings"
)

// atEnd are mistakes behind the last token. Split has paired all brackets, so all but a first one follow from another:
// the parser has skipped what would have ended a function, also the one around a cell's statements.
const atEnd = ", found the end of the cell"

// invisible are characters that nobody sees, but which come along when text is pasted.
var invisible = regexp.MustCompile(`^illegal character (U\+[0-9A-F]{4,6})$`)

var missingSemicolon = regexp.MustCompile(`^expected ';', found (.*)$`)

// readable words syntax errors for people who have never seen Go's grammar, and leaves out those that are about the
// text around the cell's own.
func readable(errs Errors) Errors {
	var out Errors
	for _, e := range errs {
		if len(out) > 0 && strings.HasSuffix(e.Msg, atEnd) {
			continue
		}
		switch {
		case strings.HasPrefix(e.Msg, "illegal character U+003F"):
			e.Msg = "unexpected ?: Go has no such operator; a question about a name, as in strings.Cut?, is a cell of its own"
		case e.Msg == "illegal byte order mark":
			e.Msg = "there is an invisible byte order mark (U+FEFF) here: delete it"
		case invisible.MatchString(e.Msg):
			e.Msg = invisible.ReplaceAllString(e.Msg, "there is an invisible character ($1) here: write a blank, or delete it")
		case missingSemicolon.MatchString(e.Msg):
			e.Msg = missingSemicolon.ReplaceAllString(e.Msg, "unexpected $1, expected ; or a new line")
		default:
			e.Msg = strings.Replace(e.Msg, "expected 'IDENT'", "expected a name", 1)
		}
		out = append(out, e)
	}
	return out
}
