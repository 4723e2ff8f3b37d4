package cell

import (
	"go/format"
	"strings"
)

// Format returns the text of a cell as gofmt writes Go; directives stay as they are.
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

// formatsTogether reports whether two pieces that follow each other are formatted at
// once: both declarations or both statements, of which format.Source takes either.
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
