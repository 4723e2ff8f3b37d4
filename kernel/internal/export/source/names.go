package source

import "strings"

// IsNameByte reports whether a byte may be part of a name.
func IsNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// ReplaceName replaces name in text by another text, except where name is the beginning of a longer name. It also
// replaces the end of a longer name that ends in name.
func ReplaceName(text, name, by string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, name)
		if i < 0 {
			return out.String() + text
		}
		end := i + len(name)
		out.WriteString(text[:i])
		if end < len(text) && IsNameByte(text[end]) {
			out.WriteString(name)
		} else {
			out.WriteString(by)
		}
		text = text[end:]
	}
}
