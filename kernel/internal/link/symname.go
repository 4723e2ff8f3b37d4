package link

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// generatedMark is what package program puts behind the part of a name that the
// user has written. It is a letter to Go.
const generatedMark = "ʹ"

// sourceName returns what stack traces, profiles and runtime.FuncForPC call a
// function: its name in the cell's text. The functions that package program adds
// have numbers, as main.init.0 has: main.cell.3 is the statements of cell 3.
func sourceName(name string) string {
	i := strings.Index(name, generatedMark)
	if i < 0 {
		return name
	}
	head, rest := name[:i], name[i+len(generatedMark):]
	end := 0
	for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] >= 'a' && rest[end] <= 'z') {
		end++
	}
	if head == "main.cell" || head == "main.init" {
		head += "." + rest[:end]
	}
	return head + sourceName(rest[end:])
}

// packageOf returns the import path of the package in whose name a symbol is.
// That it defines the symbol is not said: see definition.
func packageOf(name string) string {
	if strings.HasPrefix(name, "go:builtin.") {
		return "runtime" // methods of error
	}
	name = strings.TrimPrefix(name, "type:")
	name = strings.TrimLeft(name, "*[]")
	if i := strings.IndexAny(name, "[("); i >= 0 {
		name = name[:i]
	}
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot < 0 {
		return "runtime" // basic types
	}
	path, err := goobj.UnescapePath(name[:slash+dot])
	if err != nil {
		return name[:slash+dot]
	}
	return path
}

// ofNotebook reports whether a symbol name mentions a declaration of the
// notebook, package main.
func ofNotebook(name string) bool {
	for i := 0; ; {
		j := strings.Index(name[i:], "main.")
		if j < 0 {
			return false
		}
		j += i
		if j == 0 || !isPathByte(name[j-1]) {
			return true
		}
		i = j + 5
	}
}

func isPathByte(c byte) bool {
	return c == '_' || c == '/' || c == '.' || c == '-' || c == '%' || c == '+' || c == '~' || c >= 0x80 ||
		'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// withoutTypeArgs removes the bracketed type arguments from a symbol name.
func withoutTypeArgs(name string) string {
	if !strings.Contains(name, "[") {
		return name
	}
	var b strings.Builder
	depth := 0
	for i := range len(name) {
		switch {
		case name[i] == '[':
			depth++
		case name[i] == ']':
			depth--
		case depth == 0:
			b.WriteByte(name[i])
		}
	}
	return b.String()
}

// ofPackage reports whether a symbol belongs to a package or mentions one of
// its symbols; the package is given as in symbol names.
func ofPackage(name, prefix string) bool {
	for {
		i := strings.Index(name, prefix)
		if i < 0 {
			return false
		}
		end := name[i+len(prefix):]
		if (i == 0 || !isPathByte(name[i-1])) && strings.HasPrefix(end, ".") {
			return true
		}
		name = end
	}
}

// mentioned lists the names of notebook types in a symbol's name, generic
// ones with their type arguments.
func mentioned(name string) []string {
	var list []string
	for i := 0; ; {
		j := strings.Index(name[i:], "main.")
		if j < 0 {
			return list
		}
		j += i
		i = j + len("main.")
		if j > 0 && isPathByte(name[j-1]) {
			continue
		}
		end := i
		for end < len(name) && isIdentByte(name[end]) {
			end++
		}
		if t := name[j:end] + typeArgs(name[end:]); end > i && t != name {
			list = append(list, t)
		}
	}
}

func isIdentByte(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// typeArgs is the bracketed list that s begins with, if it does.
func typeArgs(s string) string {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 {
			return s[:i+min(i, 1)]
		}
	}
	return ""
}

// instance reports whether a symbol's name has type arguments.
func instance(name string) bool { return strings.Contains(name, "[") }

// ofUnnamed reports whether a symbol is a method that a struct type without a
// name has from types of the notebook.
func ofUnnamed(name string) bool {
	return (strings.HasPrefix(name, "go:struct {") || strings.HasPrefix(name, "go:(*struct {")) && ofNotebook(name)
}

// isCallWrapper reports whether a symbol is the function that a defer or go
// statement makes of its call.
func isCallWrapper(name string) bool {
	last := strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], "0123456789")
	return last == "deferwrap" || last == "gowrap"
}

// methodName is a method's name with the dot before it, or "" for a symbol that
// is no method.
func methodName(symbol string) string {
	symbol = strings.TrimSuffix(withoutTypeArgs(symbol), "-fm")
	dot := strings.LastIndexByte(symbol, '.')
	if dot < 0 || strings.Count(symbol, ".") < 2 {
		return ""
	}
	return symbol[dot:]
}

// qualified is a method's name with that of its receiver type, as in "T.M".
func qualified(symbol string) string {
	symbol = strings.TrimPrefix(strings.TrimSuffix(withoutTypeArgs(symbol), "-fm"), "main.")
	return strings.NewReplacer("(*", "", ")", "").Replace(symbol)
}

// typeName is the name at the beginning of s.
func typeName(s string) string {
	if i := strings.IndexAny(s, "[](){}*.,; -"); i >= 0 {
		return s[:i]
	}
	return s
}

// mentions reports whether a symbol's name has one of these types of package main.
func mentions(symbol string, types map[string]bool) bool {
	if len(types) == 0 {
		return false
	}
	for rest := symbol; ; {
		i := strings.Index(rest, "main.")
		if i < 0 {
			return false
		}
		within := i > 0 && isPathByte(rest[i-1])
		rest = rest[i+len("main."):]
		rest = strings.TrimPrefix(rest, "(*")
		if within {
			continue
		}
		name := typeName(rest)
		if types[name] {
			return true
		}
		if !strings.HasPrefix(rest[len(name):], "[") {
			continue
		}
		for t := range types {
			if strings.HasSuffix(t, "]") && strings.HasPrefix(rest, t) {
				return true
			}
		}
	}
}

func initTaskName(path string) string { return goobj.EscapePath(path) + "..inittask" }

// isInit reports whether a function runs once, when its cell does.
func isInit(name string) bool { return name == "main.init" || strings.HasPrefix(name, "main.init.") }
