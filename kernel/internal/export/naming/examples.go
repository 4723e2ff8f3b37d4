package naming

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Example returns a name that go vet accepts for an example function. It returns name if name refers to declarations
// of the program. Otherwise it returns "Example_", followed by the rest of name as a suffix. isDeclared reports
// whether the program declares a name, and hasMember whether a type has a field or method.
func Example(name string, isDeclared func(name string) bool, hasMember func(typ, member string) bool) string {
	rest := strings.TrimPrefix(name, "Example")
	parts := strings.SplitN(rest, "_", 3)
	switch {
	case rest == "":
		return name
	case parts[0] == "":
		if isSuffix(rest[1:]) {
			return name
		}
	case !isDeclared(parts[0]):
	case len(parts) > 1 && !isSuffix(parts[1]) && !hasMember(parts[0], parts[1]):
	case len(parts) > 2 && !isSuffix(parts[2]):
	default:
		return name
	}
	rest = strings.TrimLeft(rest, "_")
	first, n := utf8.DecodeRuneInString(rest)
	return "Example_" + string(unicode.ToLower(first)) + rest[n:]
}

// isSuffix reports whether a part of an example's name is a suffix, which refers to no declaration.
func isSuffix(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && unicode.IsLower(r)
}
