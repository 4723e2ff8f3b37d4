package cell

import (
	"regexp"
	"strings"
	"sync"
)

// questionLine matches a cell that asks for help on a name, as in IPython: "name?" or
// "?name", or with two question marks to see the source.
var questionLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\?{0,2})\s*([%!]*[\pL_][\pL\pN_.]*|[%!][%!*]*)\s*(\?{0,2})$`)
})

// Question returns the name about which a cell asks, and whether it asks for the source.
func Question(code string) (name string, source, ok bool) {
	if !strings.Contains(code, "?") {
		return "", false, false
	}
	m := questionLine().FindStringSubmatch(strings.TrimSpace(code))
	if m == nil || (m[1] == "") == (m[3] == "") {
		return "", false, false
	}
	return m[2], len(m[1]+m[3]) == 2, true
}
