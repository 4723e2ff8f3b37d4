package cell

import (
	"go/token"
	pathpkg "path"
	"regexp"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/python"
)

// unquoted matches an import line without quotation marks, or with quotation marks that
// Go does not use. It is compiled at its first use: the tables of letters in it are large.
var unquoted = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t]*(import\b[ \t]*\(?[ \t]*)?(?:([\pL_.][\pL\pN_]*)[ \t]+)?(['‘’“”]?)([\pL\pN_~][\pL\pN_.~/-]*)['‘’“”]?`)
})

// importHint rewrites an error message about an import path so that it shows the correct form. It returns
// other messages unchanged.
func importHint(src string, off int, msg string) string {
	line := Line(src, PosAt(src, off).Line)
	switch {
	case strings.HasPrefix(msg, "missing import path"), strings.HasPrefix(msg, "import path must be"):
	case strings.HasPrefix(msg, "illegal rune literal"), strings.HasPrefix(msg, "illegal character"):
	case strings.HasPrefix(msg, "expected ';', found "):
		if text, ok := foreignImport(strings.Fields(line)); ok {
			return text
		}
		return msg
	default:
		return msg
	}
	if text, ok := foreignImport(strings.Fields(line)); ok {
		return text
	}
	m := unquoted().FindStringSubmatch(line)
	if m == nil || m[1] == "" && !strings.Contains(msg, "import") {
		return msg // probably not an import
	}
	if m[4] == "import" {
		return `an import path is a quoted string, as in import "fmt"`
	}
	if text := counterpart(m[4]); text != "" && m[2] == "" {
		return text
	}
	write := `"` + m[4] + `"`
	if m[2] != "" {
		write = m[2] + " " + write
	}
	if m[1] != "" && !strings.Contains(m[1], "(") {
		write = "import " + write
	}
	return "an import path is a quoted string: write " + write
}

// foreignImport explains an import of Python or JavaScript. words are the words of its line.
func foreignImport(words []string) (string, bool) {
	word := func(i int) string {
		if i < len(words) {
			return strings.Trim(words[i], `"';`)
		}
		return ""
	}
	path, name := "", ""
	switch {
	case len(words) < 2:
		return "", false
	case word(0) == "import" && word(2) == "as" && token.IsIdentifier(word(3)): // import numpy as np
		path, name = word(1), word(3)+" "
	case word(0) == "import" && word(2) == "from": // import fs from "fs"
		path, name = word(3), word(1)+" "
	case word(0) == "from" && word(2) == "import": // from math import sqrt
		path = word(1)
	case word(0) == "import" && len(words) > 2 && strings.HasSuffix(words[1], ","): // import os, sys
		for i, w := range words[1:] {
			words[i+1] = `"` + strings.Trim(w, `,;"'`) + `"`
		}
		return "an import path is a quoted string: write import (" + strings.Join(words[1:], "; ") + ")", true
	default:
		return "", false
	}
	if text := counterpart(path); text != "" {
		return text, true
	}
	text := "write import " + name + `"` + path + `"`
	if word(0) == "from" {
		text += "; its names are written with that of the package, as in " + pathpkg.Base(path) + ".Name"
	}
	return text, true
}

// counterpart returns how to import the Go package in place of a module of Python, or "".
func counterpart(module string) string {
	top, _, _ := strings.Cut(module, ".")
	path := python.Counterpart(top)
	if path == "" {
		return ""
	}
	return module + " is a module of Python: write import \"" + path + `"`
}
