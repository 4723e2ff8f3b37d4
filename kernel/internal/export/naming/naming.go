// Package naming chooses the names of a program.
package naming

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Set chooses names that differ.
type Set struct {
	Taken   map[string]bool
	Methods map[string]bool // chosen names of methods
}

// Pick returns the name, or the name with the first number that is free.
func (n *Set) Pick(name string, avoid map[string]bool) string {
	for i := 1; ; i++ {
		full := name
		if i > 1 {
			full = fmt.Sprint(name, i)
		}
		if !n.Taken[full] && (i == 1 || !avoid[full]) {
			n.Taken[full] = true
			return full
		}
	}
}

// NewSet returns a set with names that are taken.
func NewSet(names ...string) *Set {
	n := &Set{map[string]bool{}, map[string]bool{}}
	for _, name := range names {
		n.Taken[name] = true
	}
	return n
}

// Clone returns a set with the same names, without those of methods.
func (n *Set) Clone() *Set { return &Set{Taken: maps.Clone(n.Taken)} }

// maxName is the number of characters after which a name gets no further word of its heading.
const maxName = 24

// Function returns a Go name for a heading, or for a section without one.
func Function(heading string, i int) string {
	words := strings.FieldsFunc(strings.NewReplacer("'", "", "’", "").Replace(heading), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	name := ""
	for _, w := range words {
		switch {
		case len(name) > maxName:
		case name != "":
			first, n := utf8.DecodeRuneInString(w)
			name += string(unicode.ToUpper(first)) + w[n:]
		case strings.ToUpper(w) == w:
			name = strings.TrimLeft(strings.ToLower(w), "0123456789")
		default:
			first, n := utf8.DecodeRuneInString(w)
			name = string(unicode.ToLower(first)) + w[n:]
		}
	}
	if token.IsIdentifier(name) && types.Universe.Lookup(name) == nil {
		return name
	}
	return fmt.Sprint("part", i+1)
}
