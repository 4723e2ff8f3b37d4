package cell

import (
	"go/format"
	"strings"
)

// Format returns the text of a cell in the format of gofmt. Directives, and statements with %time or %timeit, stay
// unchanged. The error is an Errors if the cell has syntax errors.
func Format(src string) (string, error) {
	pieces, faults := Split(src)
	if len(faults) > 0 {
		_, errs := Parse(0, src)
		return "", errs
	}
	var b strings.Builder
	for i := 0; i < len(pieces); {
		j := i + 1
		for j < len(pieces) && formatsTogether(pieces[i].Kind, pieces[j].Kind) {
			j++
		}
		text := src[pieces[i].Start:pieces[j-1].End]
		if pieces[i].Kind != Directive && pieces[i].timing == Untimed {
			out, err := format.Source([]byte(text))
			if err != nil {
				if _, errs := Parse(0, src); errs != nil {
					return "", errs
				}
				return "", err
			}
			text = string(out)
		}
		b.WriteString(text)
		i = j
	}
	return b.String(), nil
}

// formatsTogether reports whether two adjacent pieces are formatted with one call of
// format.Source: both are declarations or both are statements, since format.Source takes only one of these.
func formatsTogether(a, b Kind) bool {
	class := func(k Kind) int {
		switch k {
		case Directive:
			return 0
		case Statement, Var, Trivia:
			return 1
		}
		return 2
	}
	return class(a) == class(b) && class(a) != 0
}
