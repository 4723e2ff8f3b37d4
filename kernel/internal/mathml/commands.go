package mathml

import (
	"fmt"
	"html"
	"strings"
)

// A reader parses the arguments of a command and returns the command as MathML.
type reader func(p *parser, name string) (string, error)

var commands, limitCommands map[string]reader

func init() {
	commands = map[string]reader{
		"frac": fraction, "dfrac": fraction, "tfrac": fraction, "cfrac": fraction, "binom": binomial, "sqrt": root,
		"text": textOf, "textrm": textOf, "textnormal": textOf, "mbox": textOf, "textbf": textOf, "textit": textOf, "texttt": textOf,
		"left": fenced, "not": negated, "begin": environment, "operatorname": operatorName, "pmod": modulo, "boxed": boxed,
		"overset": stacked, "underset": stacked, "stackrel": stacked, "substack": substack, "phantom": phantom,
		"hspace": hspace, "label": ignored, "tag": tag, "notag": nothing, "nonumber": nothing, "mathstrut": nothing,
		"underline": accent, "mathop": group, "mathrel": group, "mathbin": group, "mathord": group, "mathopen": group, "mathclose": group,
		"xrightarrow": arrow, "xleftarrow": arrow,
	}
	for name := range sizes {
		commands[name] = sized
	}
	for name := range accents {
		commands[name] = accent
	}
	limitCommands = map[string]reader{"overbrace": accent, "underbrace": accent}
}

func (p *parser) two() (a, b string, err error) {
	if a, err = p.argument(); err == nil {
		b, err = p.argument()
	}
	return a, b, err
}

func fraction(p *parser, name string) (string, error) {
	a, b, err := p.two()
	f := "<mfrac>" + a + b + "</mfrac>"
	switch name {
	case "dfrac", "cfrac":
		f = `<mstyle displaystyle="true">` + f + "</mstyle>"
	case "tfrac":
		f = `<mstyle displaystyle="false">` + f + "</mstyle>"
	}
	return f, err
}

func binomial(p *parser, _ string) (string, error) {
	a, b, err := p.two()
	return `<mrow><mo>(</mo><mfrac linethickness="0">` + a + b + "</mfrac><mo>)</mo></mrow>", err
}

func root(p *parser, _ string) (string, error) {
	p.skipSpaces()
	index := p.optional()
	body, err := p.argument()
	if err != nil || index == "" {
		return "<msqrt>" + body + "</msqrt>", err
	}
	inner := &parser{tokens: scan(index), depth: p.depth + 1}
	degree, err := inner.row(func(t token) bool { return t.kind == end })
	return "<mroot>" + body + degree + "</mroot>", err
}

// textOf parses the argument of \text and similar commands, in which $…$ is a formula.
func textOf(p *parser, name string) (string, error) {
	text, err := p.raw()
	if err != nil {
		return "", err
	}
	style := map[string]string{"textbf": "font-weight:bold", "textit": "font-style:italic", "texttt": "font-family:monospace"}[name]
	if style != "" {
		style = ` style="` + style + `"`
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "$") {
		if i%2 == 0 {
			if part != "" {
				part = strings.NewReplacer(`\%`, "%", `\_`, "_", `\&`, "&", `\#`, "#", `\ `, " ").Replace(part)
				b.WriteString("<mtext" + style + ">" + strings.ReplaceAll(html.EscapeString(part), " ", "\u00a0") + "</mtext>")
			}
			continue
		}
		inner := &parser{tokens: scan(part), depth: p.depth + 1}
		formula, err := inner.row(func(t token) bool { return t.kind == end })
		if err != nil {
			return "", err
		}
		b.WriteString(formula)
	}
	return "<mrow>" + b.String() + "</mrow>", nil
}

// delimiter reads the delimiter after \left, \right, \middle or \big.
func (p *parser) delimiter() (string, error) {
	p.skipSpaces()
	switch t := p.next(); {
	case t.is(char, "."):
		return "", nil
	case t.kind == char && strings.Contains("()[]|/", t.text):
		return t.text, nil
	case t.kind == char && (t.text == "<" || t.text == ">"):
		return map[string]string{"<": "⟨", ">": "⟩"}[t.text], nil
	case t.kind == command && symbols[t.text].element == "mo":
		return symbols[t.text].text, nil
	}
	return "", fmt.Errorf(`the delimiter of a command such as \left is missing`)
}

func fence(text string) string {
	if text == "" {
		return ""
	}
	return `<mo fence="true" stretchy="true">` + html.EscapeString(text) + "</mo>"
}

// fenced parses \left( … \right).
func fenced(p *parser, _ string) (string, error) {
	open, err := p.delimiter()
	if err != nil {
		return "", err
	}
	body := ""
	for {
		part, err := p.row(func(t token) bool { return t.is(command, "right") || t.is(command, "middle") })
		if err != nil {
			return "", err
		}
		t := p.next()
		close, err := p.delimiter()
		if err != nil {
			return "", err
		}
		body += part + fence(close)
		if t.text == "right" {
			return "<mrow>" + fence(open) + body + "</mrow>", nil
		}
	}
}

var sizes = map[string]string{
	"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em", "bigl": "1.2em", "Bigl": "1.8em", "biggl": "2.4em", "Biggl": "3em",
	"bigr": "1.2em", "Bigr": "1.8em", "biggr": "2.4em", "Biggr": "3em", "bigm": "1.2em", "Bigm": "1.8em",
}

func sized(p *parser, name string) (string, error) {
	text, err := p.delimiter()
	return `<mo stretchy="true" minsize="` + sizes[name] + `" maxsize="` + sizes[name] + `">` + html.EscapeString(text) + "</mo>", err
}

// negated parses \not and the symbol after it.
func negated(p *parser, _ string) (string, error) {
	p.skipSpaces()
	t := p.next()
	text := t.text
	if t.kind == command {
		text = symbols[t.text].text
	}
	if text == "" || t.kind == special {
		return "", fmt.Errorf(`the command \not is not followed by a symbol to strike through`)
	}
	return "<mo>" + html.EscapeString(text) + "\u0338</mo>", nil
}

func operatorName(p *parser, _ string) (string, error) {
	limits := p.accept(char, "*")
	text, err := p.raw()
	text = strings.ReplaceAll(strings.ReplaceAll(text, `\,`, "\u2009"), " ", "\u2009")
	if strings.Contains(text, `\`) {
		return "", fmt.Errorf(`the argument of \operatorname contains commands, which Perijove does not support there`)
	}
	if limits {
		return `<mo movablelimits="true">` + html.EscapeString(text) + "</mo>", err
	}
	return `<mrow><mi mathvariant="normal">` + html.EscapeString(text) + `</mi><mspace width="0.17em"></mspace></mrow>`, err
}

func modulo(p *parser, _ string) (string, error) {
	body, err := p.argument()
	return `<mrow><mspace width="1em"></mspace><mo stretchy="false">(</mo><mi>mod</mi><mspace width="0.33em"></mspace>` + body + `<mo stretchy="false">)</mo></mrow>`, err
}

func boxed(p *parser, _ string) (string, error) {
	body, err := p.argument()
	return `<mrow style="border:1px solid;padding:.3em">` + body + "</mrow>", err
}

func phantom(p *parser, _ string) (string, error) {
	body, err := p.argument()
	return "<mphantom>" + body + "</mphantom>", err
}

func group(p *parser, _ string) (string, error) { return p.argument() }
func nothing(*parser, string) (string, error)   { return empty, nil }
func ignored(p *parser, _ string) (string, error) {
	_, err := p.raw()
	return empty, err
}

func tag(p *parser, _ string) (string, error) {
	text, err := p.raw()
	return `<mrow><mspace width="2em"></mspace><mtext>(` + html.EscapeString(text) + ")</mtext></mrow>", err
}

func hspace(p *parser, _ string) (string, error) {
	text, err := p.raw()
	if err == nil && strings.Trim(text, "-.0123456789 emxptcin") != "" {
		err = fmt.Errorf(`the argument %q is not a length such as 1em`, text)
	}
	return `<mspace width="` + html.EscapeString(strings.ReplaceAll(text, " ", "")) + `"></mspace>`, err
}

func stacked(p *parser, name string) (string, error) {
	over, base, err := p.two()
	if name == "underset" {
		return "<munder>" + base + over + "</munder>", err
	}
	return "<mover>" + base + over + "</mover>", err
}

func arrow(p *parser, name string) (string, error) {
	p.skipSpaces()
	p.optional()
	over, err := p.argument()
	text := map[string]string{"xrightarrow": "→", "xleftarrow": "←"}[name]
	return `<mover><mo stretchy="true">` + text + `</mo><mpadded width="+0.8em" lspace="0.4em">` + over + "</mpadded></mover>", err
}

// accents are the marks above the argument of a command.
var accents = map[string]string{
	"hat": "^", "widehat": "^", "bar": "¯", "overline": "¯", "tilde": "~", "widetilde": "~", "vec": "→", "overrightarrow": "→",
	"overleftarrow": "←", "dot": "˙", "ddot": "¨", "check": "ˇ", "breve": "˘", "acute": "´", "grave": "`", "mathring": "˚",
}

func accent(p *parser, name string) (string, error) {
	body, err := p.argument()
	stretchy := name == "overline" || strings.HasPrefix(name, "wide") || strings.HasPrefix(name, "over")
	switch name {
	case "underline":
		return `<munder>` + body + `<mo stretchy="true">_</mo></munder>`, err
	case "underbrace":
		return `<munder>` + body + `<mo stretchy="true">⏟</mo></munder>`, err
	case "overbrace":
		return `<mover>` + body + `<mo stretchy="true">⏞</mo></mover>`, err
	}
	return fmt.Sprintf(`<mover accent="true">%s<mo stretchy="%t">%s</mo></mover>`, body, stretchy, html.EscapeString(accents[name])), err
}
