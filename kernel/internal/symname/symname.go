// Package symname parses the names of linker symbols.
package symname

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// GeneratedMark is the mark that follows the user's part of a generated name; see package mangle. Go accepts it as a
// letter of an identifier.
const GeneratedMark = "ʹ"

// Source returns the name of a function in stack traces, profiles and runtime.FuncForPC, which is the function's name
// in the text of the cell. Functions that package program adds have numbers, as in main.init.0: the function
// main.cell.3 contains the statements of cell 3.
func Source(name string) string {
	i := strings.Index(name, GeneratedMark)
	if i < 0 {
		return name
	}
	head, rest := name[:i], name[i+len(GeneratedMark):]
	end := 0
	for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] >= 'a' && rest[end] <= 'z') {
		end++
	}
	if head == "main.cell" || head == "main.init" {
		head += "." + rest[:end]
	}
	return head + Source(rest[end:])
}

// Package returns the import path of the package at the beginning of a symbol's name. Another package may define the
// symbol: see package definers.
func Package(name string) string {
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

// MentionsMain reports whether a symbol name mentions a declaration of the
// notebook, package main.
func MentionsMain(name string) bool {
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

// WithoutTypeArgs removes the bracketed type arguments from a symbol name.
func WithoutTypeArgs(name string) string {
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

// MentionsPackage reports whether a symbol belongs to a package or mentions one of
// its symbols. prefix is the package path as in symbol names; see goobj.EscapePath.
func MentionsPackage(name, prefix string) bool {
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

// NotebookTypes returns the names of notebook types in a symbol's name, such as "main.T". Instances of generic
// types have their type arguments.
func NotebookTypes(name string) []string {
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

// typeArgs returns the bracketed list at the beginning of s, or "".
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

// IsInstance reports whether a symbol's name has type arguments.
func IsInstance(name string) bool { return strings.Contains(name, "[") }

// IsDictionary reports whether a symbol is the dictionary of an instance of generic code. A dictionary has the types
// and functions that the code needs. Instances whose type arguments have the same underlying types share the code.
func IsDictionary(name string) bool {
	head, _, _ := strings.Cut(name, "[")
	return strings.Contains(head[strings.LastIndexByte(head, '/')+1:], "..dict.")
}

// IsUnnamedStructMethod reports whether a symbol is a promoted method of a struct type that has no name and mentions
// types of the notebook.
func IsUnnamedStructMethod(name string) bool {
	return (strings.HasPrefix(name, "go:struct {") || strings.HasPrefix(name, "go:(*struct {")) && MentionsMain(name)
}

// IsCallWrapper reports whether a symbol is a function that the compiler generates for the call of a defer or go
// statement.
func IsCallWrapper(name string) bool {
	last := strings.TrimRight(name[strings.LastIndexByte(name, '.')+1:], "0123456789")
	return last == "deferwrap" || last == "gowrap"
}

// Method returns a method's name with the dot before it. It returns "" for a symbol that is not a method.
func Method(symbol string) string {
	symbol = strings.TrimSuffix(WithoutTypeArgs(symbol), "-fm")
	dot := strings.LastIndexByte(symbol, '.')
	if dot < 0 || strings.Count(symbol, ".") < 2 {
		return ""
	}
	return symbol[dot:]
}

// QualifiedMethod returns the names of a method's receiver type and of the method, as in "T.M".
func QualifiedMethod(symbol string) string {
	symbol = strings.TrimPrefix(strings.TrimSuffix(WithoutTypeArgs(symbol), "-fm"), "main.")
	return strings.NewReplacer("(*", "", ")", "").Replace(symbol)
}

// typeName returns the type name at the beginning of s.
func typeName(s string) string {
	if i := strings.IndexAny(s, "[](){}*.,; -"); i >= 0 {
		return s[:i]
	}
	return s
}

// MentionsType reports whether a symbol's name mentions one of these types of package main.
func MentionsType(symbol string, types map[string]bool) bool {
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

// InitTask returns the symbol of a package's init task.
func InitTask(path string) string { return goobj.EscapePath(path) + "..inittask" }

// IsInit reports whether a function is an initialization function of a cell, which runs once.
func IsInit(name string) bool { return name == "main.init" || strings.HasPrefix(name, "main.init.") }
