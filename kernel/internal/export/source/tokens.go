package source

import (
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// declCode returns a Go file with a declaration: a package clause, the keyword, and the text of
// the declaration.
func declCode(d *cell.Decl) string {
	if d.Keyword == "" {
		return "package p\n" + d.Text
	}
	return "package p\n" + d.Keyword + " " + d.Text
}

// Same reports whether two declarations differ in comments and layout only.
func Same(a, b *cell.Decl) bool {
	return a.Kind == b.Kind && slices.Equal(Tokens(a.Text), Tokens(b.Text))
}

// Tokens returns the tokens of a Go text.
func Tokens(text string) []string {
	var list []string
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return list
		}
		if tok == token.SEMICOLON {
			lit = ";"
		}
		list = append(list, tok.String()+" "+lit)
	}
}

// Quote returns a string literal: a raw one if the text has several lines.
func Quote(text string) string {
	if strings.Contains(text, "\n") && strconv.CanBackquote(strings.ReplaceAll(text, "\n", "")) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
