package source

import "strings"

// IsNameByte reports whether a byte may be part of a name.
func IsNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// ReplaceName replaces name where no byte of a longer name follows it. A longer name that ends in name is not recognized.
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
