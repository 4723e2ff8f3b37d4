// Package mathml translates TeX formulas to MathML, which browsers show without scripts,
// fonts or network. It supports the part of LaTeX and amsmath that notebooks use. For
// an unsupported formula it returns an error, never a wrong translation.
package mathml

import (
	"fmt"
	"html"
	"strings"
)

// Convert returns a formula as a math element whose alternative text is the TeX. If display
// is true, the formula is shown on a separate line with larger operators.
func Convert(tex string, display bool) (string, error) {
	p := &parser{tokens: scan(tex)}
	body, err := p.document()
	if err != nil {
		return "", fmt.Errorf("cannot translate the formula %q: %w", tex, err)
	}
	kind := ""
	if display {
		kind = ` display="block"`
	}
	return `<math` + kind + ` alttext="` + html.EscapeString(printable(tex)) + `">` + body + `</math>`, nil
}

// printable returns s without characters that XML does not allow.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || isPrintable(r) {
			return r
		}
		return -1
	}, s)
}

// A parser reads tokens and writes MathML.
type parser struct {
	tokens []token
	at     int
	depth  int
	style  alphabet // alphabet of letters
}

// maxDepth is the maximum nesting depth.
const maxDepth = 200

var errNested = fmt.Errorf("the formula is nested more than %d levels deep", maxDepth)

// next reads a token. After the last token of the formula, it returns a token of kind end.
func (p *parser) next() token {
	t := p.peek()
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) peek() token {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return token{kind: end}
}

// skipSpaces skips spaces, which have no meaning in formulas.
func (p *parser) skipSpaces() {
	for p.peek().kind == space {
		p.at++
	}
}

// accept skips spaces. If the next token is the given one, accept reads it and returns
// true.
func (p *parser) accept(k kind, text string) bool {
	p.skipSpaces()
	if t := p.peek(); t.kind != k || t.text != text {
		return false
	}
	p.at++
	return true
}

// document parses the whole formula. With \\ outside of an environment it has several lines.
func (p *parser) document() (string, error) {
	rows, err := p.rows(func(t token) bool { return t.kind == end })
	if err != nil {
		return "", err
	}
	if len(rows) == 1 && len(rows[0]) == 1 {
		return rows[0][0], nil
	}
	return table(rows, alignedColumns), nil
}

// rows parses cells separated by &, in rows separated by \\. It ends before a token for
// which stop returns true.
func (p *parser) rows(stop func(token) bool) ([][]string, error) {
	var rows [][]string
	var row []string
	for {
		cell, err := p.row(func(t token) bool {
			return stop(t) || t.is(special, "&") || t.is(command, `\`) || t.is(command, "cr")
		})
		if err != nil {
			return nil, err
		}
		row = append(row, cell)
		t := p.peek()
		if stop(t) {
			if len(rows) == 0 || len(row) > 1 || row[0] != empty {
				rows = append(rows, row)
			}
			return rows, nil
		}
		if p.next(); t.kind == command {
			p.optional() // extra space after the row
			rows, row = append(rows, row), nil
		}
	}
}

// empty is an empty row.
const empty = "<mrow></mrow>"

// row parses atoms with their scripts. It ends before a token for which stop returns true.
func (p *parser) row(stop func(token) bool) (string, error) {
	if p.depth++; p.depth > maxDepth {
		return "", errNested
	}
	style := p.style
	defer func() { p.depth--; p.style = style }()
	var parts []string
	closing := ""
	for {
		p.skipSpaces()
		t := p.peek()
		if stop(t) {
			break
		}
		if t.kind == end {
			return "", fmt.Errorf("the formula ends too early")
		}
		if t.kind == command && (t.text == "displaystyle" || t.text == "textstyle") {
			p.next()
			parts = append(parts, `<mstyle displaystyle="`+fmt.Sprint(t.text == "displaystyle")+`">`)
			closing += "</mstyle>"
			continue
		}
		part, err := p.scripted()
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 && closing == "" {
		return parts[0], nil
	}
	return "<mrow>" + strings.Join(parts, "") + closing + "</mrow>", nil
}

// An atom is a part of a formula that can have scripts.
type atom struct {
	xml      string
	limits   bool // scripts are above and below
	function bool // a name such as sin, followed by a space
}

// scripted parses an atom with its primes, subscript and superscript.
func (p *parser) scripted() (string, error) {
	a := atom{xml: empty}
	if t := p.peek(); !t.is(special, "^") && !t.is(special, "_") && !t.is(char, "'") {
		var err error
		if a, err = p.atom(); err != nil {
			return "", err
		}
	}
	var sub, sup string
	for {
		p.skipSpaces()
		switch t := p.peek(); {
		case t.is(command, "limits"), t.is(command, "nolimits"):
			p.next()
			a.limits = t.text == "limits"
		case t.is(char, "'"):
			if sup != "" {
				return "", fmt.Errorf("two superscripts of the same symbol follow each other")
			}
			n := 0
			for p.accept(char, "'") {
				n++
			}
			sup = "<mo>" + strings.Repeat("′", n) + "</mo>"
			if p.accept(special, "^") {
				more, err := p.argument()
				if err != nil {
					return "", err
				}
				sup = "<mrow>" + sup + more + "</mrow>"
			}
		case t.is(special, "^"), t.is(special, "_"):
			p.next()
			to := &sup
			if t.text == "_" {
				to = &sub
			}
			if *to != "" {
				return "", fmt.Errorf("two scripts that begin with %s follow each other", t.text)
			}
			script, err := p.argument()
			if err != nil {
				return "", err
			}
			*to = script
		default:
			return p.withScripts(a, sub, sup), nil
		}
	}
}

func (p *parser) withScripts(a atom, sub, sup string) string {
	element := map[[3]bool]string{
		{true, true, false}: "msubsup", {true, false, false}: "msub", {false, true, false}: "msup",
		{true, true, true}: "munderover", {true, false, true}: "munder", {false, true, true}: "mover",
	}[[3]bool{sub != "", sup != "", a.limits}]
	xml := a.xml
	if element != "" {
		xml = "<" + element + ">" + xml + sub + sup + "</" + element + ">"
	}
	if a.function {
		if t := p.peek(); t.kind == char && isLetterOrDigit(t.text) || t.kind == command && !isOpening[t.text] && symbols[t.text].element != "mo" {
			xml += `<mspace width="0.17em"></mspace>`
		}
	}
	return xml
}

// argument parses an argument of a command: a group in braces or a single atom.
func (p *parser) argument() (string, error) {
	p.skipSpaces()
	if p.peek().is(special, "{") {
		a, err := p.atom()
		return a.xml, err
	}
	switch t := p.peek(); {
	case t.kind == end, t.is(special, "}"), t.is(special, "&"), t.is(special, "^"), t.is(special, "_"):
		return "", fmt.Errorf("the argument of a command or script is missing")
	case t.kind == char && len(t.text) > 0 && isDigit(t.text):
		p.next() // a single digit: 2^10 is 2 to the power of 1, followed by 0
		return "<mn>" + t.text + "</mn>", nil
	}
	a, err := p.atom()
	return a.xml, err
}

// optional reads an optional argument, [text], and returns its text.
func (p *parser) optional() string {
	if !p.peek().is(char, "[") {
		return ""
	}
	start := p.at
	p.next()
	text := ""
	for {
		switch t := p.next(); {
		case t.is(char, "]"):
			return text
		case t.kind == end:
			p.at = start
			return ""
		default:
			text += t.source()
		}
	}
}

// raw reads a group in braces and returns its text.
func (p *parser) raw() (string, error) {
	if !p.accept(special, "{") {
		return "", fmt.Errorf("the argument in braces of a command is missing")
	}
	var b strings.Builder
	for depth := 1; ; {
		t := p.next()
		switch {
		case t.kind == end:
			return "", fmt.Errorf("the brace before an argument is not closed")
		case t.is(special, "{"):
			depth++
		case t.is(special, "}"):
			if depth--; depth == 0 {
				return b.String(), nil
			}
		}
		b.WriteString(t.source())
	}
}
