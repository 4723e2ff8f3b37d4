package notebook

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
)

// escapes matches CSI, OSC and other escape sequences. An export shows only SGR (colours
// and weight).
var escapes = regexp.MustCompile("\x1b\\[([0-9;:?<=>]*)[ -/]*([@-~])|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b[@-Z\\\\^_]")

// ansiHTML returns HTML that looks like text on a terminal.
func ansiHTML(s string) string {
	s = terminalText(s)
	var b strings.Builder
	var style ansiStyle
	last := 0
	for _, m := range escapes.FindAllStringSubmatchIndex(s, -1) {
		style.write(&b, s[last:m[0]])
		last = m[1]
		if m[4] >= 0 && s[m[4]:m[5]] == "m" {
			style.apply(s[m[2]:m[3]])
		}
	}
	style.write(&b, s[last:])
	return b.String()
}

// terminalText applies \r and backspace as a terminal does, one line at a time:
// after a carriage return text overwrites the line, a backspace removes one character.
func terminalText(s string) string {
	if !strings.ContainsAny(s, "\r\b") {
		return s
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		text, nl := strings.CutSuffix(line, "\n")
		text = strings.TrimRight(text, "\r")
		text = text[strings.LastIndexByte(text, '\r')+1:]
		b.WriteString(withoutBackspaces(text))
		if nl {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func withoutBackspaces(s string) string {
	if !strings.Contains(s, "\b") {
		return s
	}
	var out []rune
	for _, r := range s {
		if r == '\b' {
			out = out[:max(len(out)-1, 0)]
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

// An ansiStyle is the state that SGR sequences change.
type ansiStyle struct {
	flags  [10]bool // indexed by the SGR codes 1 to 9
	fg, bg string   // "", one of the eight colours ("1") or any other ("#aabbcc")
}

var flagClasses = map[int]string{
	1: "ansi-bold", 2: "ansi-faint", 3: "ansi-italic", 4: "ansi-underline", 7: "ansi-inverse", 9: "ansi-strike",
}

func (a *ansiStyle) write(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	classes, style := a.attributes()
	text = html.EscapeString(text)
	if len(classes) == 0 && style == "" {
		b.WriteString(text)
		return
	}
	b.WriteString("<span")
	if len(classes) > 0 {
		fmt.Fprintf(b, ` class="%s"`, strings.Join(classes, " "))
	}
	if style != "" {
		fmt.Fprintf(b, ` style="%s"`, style)
	}
	b.WriteString(">" + text + "</span>")
}

// attributes returns the CSS classes and the style of text. The page's style sheet defines
// the eight colours. Other text colours are made darker or lighter until the contrast is
// sufficient.
func (a *ansiStyle) attributes() (classes []string, style string) {
	flags, fg, bg := a.flags, a.fg, a.bg
	if flags[7] && fg+bg != "" {
		flags[7], fg, bg = false, bg, cmp.Or(hexOf(fg), "#24292f")
	}
	for code, on := range flags {
		if class, ok := flagClasses[code]; ok && on {
			classes = append(classes, class)
		}
	}
	switch {
	case strings.HasPrefix(bg, "#"):
		return classes, "background:" + bg + ";color:" + readable(hexOf(fg), bg)
	case strings.HasPrefix(fg, "#"):
		classes = append(classes, "fg")
		style = "--light:" + readable(fg, darkestLight) + ";--dark:" + readable(fg, lightestDark)
	case fg != "":
		classes = append(classes, "fg"+fg)
	}
	if bg != "" {
		classes = append(classes, "bg"+bg)
	}
	return classes, style
}

func (a *ansiStyle) apply(params string) {
	var codes []int
	for _, p := range strings.FieldsFunc(params, func(r rune) bool { return r == ';' || r == ':' }) {
		n, err := strconv.Atoi(p)
		if err != nil {
			return
		}
		codes = append(codes, n)
	}
	if len(codes) == 0 {
		codes = []int{0}
	}
	for i := 0; i < len(codes); i++ {
		switch c := codes[i]; {
		case c == 0:
			*a = ansiStyle{}
		case c <= 9:
			a.flags[c] = true
		case c == 22:
			a.flags[1], a.flags[2] = false, false
		case c >= 23 && c <= 29:
			a.flags[c-20] = false
		case c >= 30 && c <= 37, c >= 90 && c <= 97:
			a.fg = strconv.Itoa(c % 10)
		case c >= 40 && c <= 47, c >= 100 && c <= 107:
			a.bg = strconv.Itoa(c % 10)
		case c == 38 || c == 48:
			colour, used := extendedColour(codes[i+1:])
			i += used
			if c == 38 {
				a.fg = colour
			} else {
				a.bg = colour
			}
		case c == 39:
			a.fg = ""
		case c == 49:
			a.bg = ""
		}
	}
}

// extendedColour parses the SGR parameters 5;n (a palette of 256) or 2;r;g;b. It returns a
// colour as in ansiStyle, and the number of parameters used.
func extendedColour(codes []int) (colour string, used int) {
	switch {
	case len(codes) >= 2 && codes[0] == 5:
		return paletteColour(codes[1] & 255), 2
	case len(codes) >= 4 && codes[0] == 2:
		return fmt.Sprintf("#%02x%02x%02x", codes[1]&255, codes[2]&255, codes[3]&255), 4
	}
	return "", len(codes)
}

// paletteColour returns a colour of xterm's palette: 16 named colours, a cube of 6 × 6 × 6, 24 greys.
func paletteColour(n int) string {
	switch {
	case n < 16:
		return strconv.Itoa(n % 8)
	case n < 232:
		level := func(i int) int {
			if i == 0 {
				return 0
			}
			return 55 + 40*i
		}
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
	}
	grey := 8 + 10*(n-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}
