package cell

import (
	"fmt"
	"strings"
)

// SplitWords splits arguments into plain and quoted words, as a shell does. Unlike in a shell, a backslash
// outside of quotation marks separates words. SplitWords returns an error if a quotation mark is not closed.
func SplitWords(s string) ([]string, error) {
	var list []string
	var b strings.Builder
	in, quote := false, rune(0)
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\\'):
			if in {
				list = append(list, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteRune(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quotation mark %c in the arguments is not closed: write %c again at the end of the word", quote, quote)
	}
	if in {
		list = append(list, b.String())
	}
	return list, nil
}
