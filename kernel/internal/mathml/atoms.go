package mathml

import (
	"fmt"
	"html"
	"strings"
)

// atom parses an atom, the smallest unit that can have scripts: a character, a number, a
// group, or a command with its arguments.
func (p *parser) atom() (atom, error) {
	if p.depth++; p.depth > maxDepth {
		return atom{}, errNested
	}
	defer func() { p.depth-- }()
	p.skipSpaces()
	t := p.next()
	switch t.kind {
	case end:
		return atom{}, fmt.Errorf("the formula ends too early")
	case special:
		return p.special(t)
	case char:
		return atom{xml: p.char(t.text)}, nil
	}
	return p.command(t.text)
}

func (p *parser) special(t token) (atom, error) {
	switch t.text {
	case "{":
		body, err := p.row(func(t token) bool { return t.is(special, "}") })
		if err != nil {
			return atom{}, err
		}
		p.next()
		return atom{xml: body}, nil
	case "~":
		return atom{xml: `<mspace width="0.33em"></mspace>`}, nil
	}
	return atom{}, fmt.Errorf("the character %s is not expected at its place", t.text)
}

// char returns an element for a character that was read. If it is a digit, char also reads
// the rest of the number.
func (p *parser) char(c string) string {
	switch {
	case isDigit(c):
		number := c
		for {
			t := p.peek()
			dot := t.is(char, ".") && p.at+1 < len(p.tokens) && p.tokens[p.at+1].kind == char && isDigit(p.tokens[p.at+1].text)
			if t.kind != char || !isDigit(t.text) && !dot {
				return "<mn>" + p.style.apply(number) + "</mn>"
			}
			number += p.next().text
		}
	case isLetterOrDigit(c):
		return p.style.letter(c)
	case strings.Contains("()[]|/", c):
		return `<mo stretchy="false">` + c + "</mo>"
	case c == "-":
		return "<mo>−</mo>"
	case c == "*":
		return "<mo>∗</mo>"
	}
	return "<mo>" + html.EscapeString(c) + "</mo>"
}

// command parses the arguments of a command whose name was read.
func (p *parser) command(name string) (atom, error) {
	if s, ok := symbols[name]; ok {
		return s.atom(), nil
	}
	if read, ok := commands[name]; ok {
		xml, err := read(p, name)
		return atom{xml: xml}, err
	}
	if read, ok := limitCommands[name]; ok {
		xml, err := read(p, name)
		return atom{xml: xml, limits: true}, err
	}
	if width, ok := spaces[name]; ok {
		return atom{xml: `<mspace width="` + width + `"></mspace>`}, nil
	}
	if functions[name] {
		return atom{xml: "<mi>" + name + "</mi>", function: true}, nil
	}
	if text, ok := limitFunctions[name]; ok {
		return atom{xml: `<mo movablelimits="true" lspace="0" rspace="0.17em">` + text + "</mo>", limits: true}, nil
	}
	if set, ok := alphabets[name]; ok {
		return p.inAlphabet(set)
	}
	return atom{}, fmt.Errorf(`the command \%s is not known`, name)
}

// inAlphabet parses an argument whose letters are in another alphabet.
func (p *parser) inAlphabet(set alphabet) (atom, error) {
	before := p.style
	p.style = set
	defer func() { p.style = before }()
	if set == upright {
		if word, ok := p.word(); ok {
			return atom{xml: `<mi mathvariant="normal">` + word + "</mi>"}, nil
		}
	}
	xml, err := p.argument()
	return atom{xml: xml}, err
}

// word reads a group that contains only letters and digits.
func (p *parser) word() (string, bool) {
	start := p.at
	text, err := p.raw()
	if err == nil && text != "" && strings.IndexFunc(text, func(r rune) bool { return !isLetterOrDigit(string(r)) }) < 0 {
		return text, true
	}
	p.at = start
	return "", false
}

// An alphabet is a style of letters, such as bold, with separate characters in Unicode.
type alphabet int

const (
	italic alphabet = iota
	upright
	bold
	boldItalic
	blackboard
	script
	fraktur
	sans
	mono
)

var alphabets = map[string]alphabet{
	"mathrm": upright, "mathnormal": italic, "mathit": italic, "mathbf": bold, "boldsymbol": boldItalic, "bm": boldItalic,
	"mathbb": blackboard, "mathcal": script, "mathscr": script, "mathfrak": fraktur, "mathsf": sans, "mathtt": mono,
}

// starts has the characters for A, a and 0 in each alphabet; 0 for none.
var starts = map[alphabet][3]rune{
	bold: {0x1d400, 0x1d41a, 0x1d7ce}, boldItalic: {0x1d468, 0x1d482, 0}, blackboard: {0x1d538, 0x1d552, 0x1d7d8},
	script: {0x1d49c, 0x1d4b6, 0}, fraktur: {0x1d504, 0x1d51e, 0}, sans: {0x1d5a0, 0x1d5ba, 0x1d7e2}, mono: {0x1d670, 0x1d68a, 0x1d7f6},
}

// older has the letters that are not in the alphabets' ranges of Unicode, since Unicode had
// them before.
var older = map[alphabet]map[rune]rune{
	blackboard: {'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ', 'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'},
	script: {'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ', 'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ',
		'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ'},
	fraktur: {'C': 'ℭ', 'H': 'ℌ', 'I': 'ℑ', 'R': 'ℜ', 'Z': 'ℨ'},
}

// apply returns s with its letters and digits in the alphabet, if the alphabet has them.
func (a alphabet) apply(s string) string {
	return strings.Map(func(r rune) rune {
		if old, ok := older[a][r]; ok {
			return old
		}
		from := starts[a]
		switch {
		case r >= 'A' && r <= 'Z' && from[0] != 0:
			return from[0] + r - 'A'
		case r >= 'a' && r <= 'z' && from[1] != 0:
			return from[1] + r - 'a'
		case r >= '0' && r <= '9' && from[2] != 0:
			return from[2] + r - '0'
		}
		return r
	}, s)
}

func (a alphabet) letter(s string) string {
	if a == italic {
		return "<mi>" + html.EscapeString(s) + "</mi>"
	}
	return `<mi mathvariant="normal">` + html.EscapeString(a.apply(s)) + "</mi>"
}
