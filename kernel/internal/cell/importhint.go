package cell

import (
	"regexp"
	"strings"
)

// unquoted matches an import line without quotation marks, or with quotation marks that
// Go does not use.
var unquoted = regexp.MustCompile(`^[ \t]*(import\b[ \t]*\(?[ \t]*)?(?:([\pL_.][\pL\pN_]*)[ \t]+)?(['‘’“”]?)([\pL\pN_~][\pL\pN_.~/-]*)['‘’“”]?`)

// importHint rewrites an error message about an import path so that it shows the correct form. It returns
// other messages unchanged.
func importHint(src string, off int, msg string) string {
	switch {
	case strings.HasPrefix(msg, "missing import path"), strings.HasPrefix(msg, "import path must be"):
	case strings.HasPrefix(msg, "illegal rune literal"), strings.HasPrefix(msg, "illegal character"):
	default:
		return msg
	}
	m := unquoted.FindStringSubmatch(Line(src, PosAt(src, off).Line))
	if m == nil || m[1] == "" && !strings.Contains(msg, "import") {
		return msg // probably not an import
	}
	if m[4] == "import" {
		return `an import path is a quoted string, as in import "fmt"`
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
