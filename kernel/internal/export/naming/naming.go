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

// A Set chooses unique names.
type Set struct {
	Taken   map[string]bool
	Methods map[string]bool // chosen names of methods
}

// Pick returns name if it is not taken. Otherwise it appends the lowest number, from 2 on, that makes a name neither
// taken nor in avoid. The result is then taken.
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

// Unused returns name, followed by as many underscores as it takes to make a name that is not in used.
func Unused(name string, used map[string]bool) string {
	for used[name] {
		name += "_"
	}
	return name
}

// NewSet returns a Set in which names are taken.
func NewSet(names ...string) *Set {
	n := &Set{map[string]bool{}, map[string]bool{}}
	for _, name := range names {
		n.Taken[name] = true
	}
	return n
}

// Clone returns a copy of the set without the names of methods.
func (n *Set) Clone() *Set { return &Set{Taken: maps.Clone(n.Taken)} }

// maxName is the length in bytes above which Function adds no further word to a name.
const maxName = 24

// Function returns a name for the function of section i: the words of its heading, or "part" and a number if the
// words form no valid name.
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
