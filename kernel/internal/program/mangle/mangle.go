// Package mangle forms the names of generated code, and removes the generated part of these names from messages. A
// generated name consists of a name of the user, a mark, and lower-case letters and digits.
package mangle

import (
	"go/types"
	"strings"
)

// Mark follows the user's part of a generated name. Go accepts it as a letter of an identifier.
const Mark = "ʹ"

// Demangle replaces generated names in a text, such as a traceback, by the names of the user. It removes the mark,
// and the lower-case letters and digits after the mark.
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

// Name returns the name of a type, constant or variable in generated code. It differs from the user's name if the
// user's name is a predeclared identifier, which must keep its meaning in other declarations. It also differs for
// main and init, which are function names in Go.
func Name(name string) string {
	if name == "main" || name == "init" {
		return name + Mark
	}
	return Func(name)
}

// Func returns the name of a function in generated code. It differs from the user's name if the user's name is a
// predeclared identifier.
func Func(name string) string {
	if types.Universe.Lookup(name) != nil {
		return name + Mark
	}
	return name
}
