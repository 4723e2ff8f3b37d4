package mathml

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A kind of token.
type kind int

const (
	end     kind = iota
	char         // one character
	command      // \name, or \ and one character
	special      // { } ^ _ & ~
	space
)

type token struct {
	kind kind
	text string // without the backslash of a command
}

func (t token) is(k kind, text string) bool { return t.kind == k && t.text == text }

// source returns the token as it was written.
func (t token) source() string {
	if t.kind != command {
		return t.text
	}
	if r, _ := utf8.DecodeRuneInString(t.text); unicode.IsLetter(r) {
		return `\` + t.text + " "
	}
	return `\` + t.text
}

// scan splits a formula into tokens. It omits comments, from % to the end of the line, and
// characters that XML does not allow.
func scan(tex string) []token {
	var tokens []token
	for len(tex) > 0 {
		r, n := utf8.DecodeRuneInString(tex)
		switch {
		case r == '%':
			if n = strings.IndexByte(tex, '\n'); n < 0 {
				n = len(tex)
			}
		case r == '\\':
			name := commandName(tex[1:])
			n = 1 + len(name)
			tokens = append(tokens, token{command, name})
		case strings.ContainsRune("{}^_&~", r):
			tokens = append(tokens, token{special, string(r)})
		case unicode.IsSpace(r):
			tokens = append(tokens, token{space, " "})
		case !isPrintable(r):
		default:
			tokens = append(tokens, token{char, string(r)})
		}
		tex = tex[n:]
	}
	return tokens
}

// commandName returns the letters at the beginning of s, or its first character.
func commandName(s string) string {
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z') {
		n++
	}
	if n == 0 && s != "" {
		_, n = utf8.DecodeRuneInString(s)
	}
	return s[:n]
}

func isDigit(s string) bool { return len(s) == 1 && s[0] >= '0' && s[0] <= '9' }

func isLetterOrDigit(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func isPrintable(r rune) bool {
	return !unicode.IsControl(r) && r != utf8.RuneError && r != 0xfffe && r != 0xffff
}
