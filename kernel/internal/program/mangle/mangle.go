// Package mangle makes the names of generated code, and takes them out of
// messages. A generated name is a name of the user's, a mark, and lower-case
// letters and digits.
package mangle

import (
	"go/types"
	"strings"
)

// Mark ends the user's part of a generated name. It is a letter to Go.
const Mark = "ʹ"

// Demangle takes generated names out of a text, such as a traceback: everything
// from the mark to the end of the identifier is removed.
func Demangle(s string) string {
	for {
		i := strings.Index(s, Mark)
		if i < 0 {
			return s
		}
		end := i + len(Mark)
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] >= 'a' && s[end] <= 'z') {
			end++
		}
		s = s[:i] + s[end:]
	}
}

// Name returns the name in generated code of a type, constant or variable:
// predeclared names keep their meaning for all other declarations, and main and
// init are functions to Go.
func Name(name string) string {
	if name == "main" || name == "init" {
		return name + Mark
	}
	return Func(name)
}

// Func is Name for a function.
func Func(name string) string {
	if types.Universe.Lookup(name) != nil {
		return name + Mark
	}
	return name
}
