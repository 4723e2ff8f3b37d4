package highlight

import "strings"

// scanMarkup writes the tokens of HTML or XML: tags, their attributes, and comments.
func scanMarkup(s *scanner) {
	tag := &syntax{quotes: []quote{{mark: `"`, lines: true}, {mark: "'", lines: true}}, letters: "-:."}
	for s.src != "" {
		begin := strings.IndexByte(s.src, '<')
		if begin < 0 {
			begin = len(s.src)
		}
		s.take("", begin)
		if strings.HasPrefix(s.src, "<!--") {
			n := len(s.src)
			if i := strings.Index(s.src, "-->"); i >= 0 {
				n = i + len("-->")
			}
			s.take("cm", n)
			continue
		}
		s.tag(tag)
	}
}

// tag writes a tag up to its end.
func (s *scanner) tag(l *syntax) {
	class := "nt" // class of the next word
	for s.src != "" {
		if n := l.text(s.src); n > 0 {
			s.take("s", n)
			continue
		}
		if n := l.word(s.src); n > 0 {
			s.take(class, n)
			class = "na"
			continue
		}
		isEnd := s.src[0] == '>'
		s.take("", 1)
		if isEnd {
			return
		}
	}
}

// scanDiff writes the lines of a patch.
func scanDiff(s *scanner) {
	for s.src != "" {
		class := ""
		switch s.src[0] {
		case '+':
			class = "gi"
		case '-':
			class = "gd"
		case '@':
			class = "gh"
		}
		s.take(class, lineLength(s.src))
		if s.src != "" {
			s.take("", 1)
		}
	}
}
