// Package highlight marks the tokens of source code in HTML, for the languages that are common in notebooks. It does
// not slow the start of the program: it initializes nothing then.
package highlight

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Class is the CSS class of the element that contains the code. The tokens in the element have the classes of
// Pygments, such as "k" for a keyword, which other tools use as well.
const Class = "highlight"

// HTML returns source as a pre element. If the language is unknown, it marks no tokens.
func HTML(source, language string) template.HTML {
	s := &scanner{src: source}
	s.out.WriteString(`<pre class="` + Class + `"><code>`)
	switch l := languages()[strings.ToLower(language)]; {
	case l == nil:
		s.emit("", source)
	case l.scan != nil:
		l.scan(s)
	default:
		s.scan(l)
	}
	s.out.WriteString("</code></pre>")
	return template.HTML(s.out.String())
}

// A scanner divides source code into tokens and writes them as HTML.
type scanner struct {
	src string // the rest of the source
	out strings.Builder
}

// emit writes text as a token of a class, or as plain text if class is empty.
func (s *scanner) emit(class, text string) {
	if class == "" || text == "" {
		s.out.WriteString(template.HTMLEscapeString(text))
		return
	}
	s.out.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(text) + "</span>")
}

// take writes the next n bytes as a token.
func (s *scanner) take(class string, n int) {
	s.emit(class, s.src[:n])
	s.src = s.src[n:]
}

// scan writes all tokens of a language that has comments, strings, numbers and words.
func (s *scanner) scan(l *syntax) {
	for s.src != "" {
		if n, class := l.comment(s.src); n > 0 {
			s.take(class, n)
			continue
		}
		if n := l.text(s.src); n > 0 {
			class := "s"
			if l.keys && strings.HasPrefix(strings.TrimLeft(s.src[n:], " \t"), ":") {
				class = "nt"
			}
			s.take(class, n)
			continue
		}
		if n, class := number(s.src); n > 0 {
			s.take(class, n)
			continue
		}
		if n := l.word(s.src); n > 0 {
			s.take(l.classOf(s.src[:n], s.src[n:]), n)
			continue
		}
		_, n := utf8.DecodeRuneInString(s.src)
		s.take("", n)
	}
}

// comment returns the length and the class of the comment with which src begins, or 0.
func (l *syntax) comment(src string) (n int, class string) {
	for _, begin := range l.line {
		if strings.HasPrefix(src, begin) {
			return lineLength(src), "c1"
		}
	}
	for _, b := range l.block {
		if rest, ok := strings.CutPrefix(src, b.begin); ok {
			if i := strings.Index(rest, b.end); i >= 0 {
				return len(b.begin) + i + len(b.end), "cm"
			}
			return len(src), "cm"
		}
	}
	return 0, ""
}

// lineLength returns the number of bytes up to the end of the first line, without the newline.
func lineLength(src string) int {
	if i := strings.IndexByte(src, '\n'); i >= 0 {
		return i
	}
	return len(src)
}

// text returns the length of the string with which src begins, or 0.
func (l *syntax) text(src string) int {
	for _, q := range l.quotes {
		if !strings.HasPrefix(src, q.mark) {
			continue
		}
		if n := q.length(src); n > 0 {
			return n
		}
	}
	return 0
}

// length returns the length of the string with which src begins, or 0 if the string has no end, or none in the line and q allows only one line.
func (q quote) length(src string) int {
	for i := len(q.mark); i < len(src); i++ {
		switch {
		case strings.HasPrefix(src[i:], q.mark):
			return i + len(q.mark)
		case src[i] == '\\' && q.escapes:
			i++
		case src[i] == '\n' && !q.lines:
			return 0
		}
	}
	return 0
}

// number returns the length and the class of the number with which src begins, or 0.
func number(src string) (n int, class string) {
	isDigit := func(i int) bool { return i < len(src) && src[i] >= '0' && src[i] <= '9' }
	if !isDigit(0) && !(src[0] == '.' && isDigit(1)) {
		return 0, ""
	}
	isHex := strings.HasPrefix(src, "0x") || strings.HasPrefix(src, "0X")
	class = "mi"
	for n < len(src) {
		c := src[n]
		switch {
		case c == '.':
			if n+1 < len(src) && src[n+1] == '.' {
				return n, class
			}
			class = "mf"
		case (c == '+' || c == '-') && n > 0 && !isHex && (src[n-1] == 'e' || src[n-1] == 'E'):
			class = "mf"
		case c >= utf8.RuneSelf || c != '_' && !isDigit(n) && !unicode.IsLetter(rune(c)):
			return n, class
		}
		n++
	}
	return n, class
}

// word returns the length of the word with which src begins, or 0.
func (l *syntax) word(src string) int {
	for i, r := range src {
		if r != '_' && !unicode.IsLetter(r) && !strings.ContainsRune(l.letters, r) && (i == 0 || !unicode.IsDigit(r)) {
			return i
		}
	}
	return len(src)
}

// classOf returns the class of a word. rest is the source after it.
func (l *syntax) classOf(word, rest string) string {
	key := word
	if l.ignoresCase {
		key = strings.ToLower(word)
	}
	switch class, ok := l.words[key]; {
	case ok:
		return class
	case l.keys && strings.HasPrefix(rest, ":"):
		return "nt"
	case l.calls && strings.HasPrefix(rest, "("):
		return "nf"
	}
	return ""
}
