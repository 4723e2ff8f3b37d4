package program

import (
	"go/build/constraint"
	"runtime"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// noteConstraints tells of //go:build lines that would keep a file out of a build: the cell that has one runs all the
// same, since that is what it is executed for.
func (b *builder) noteConstraints() {
	for _, line := range b.c.Builds {
		if x, err := constraint.Parse(line.Text); err == nil && !x.Eval(b.tagHolds) {
			b.notice("%s line %d: %s does not hold here, but a cell runs whatever its constraints say", cell.Name(b.c.N), line.Pos.Line, line.Text)
		}
	}
}

// tagHolds reports whether a build tag is satisfied, as go build without -tags has it.
func (b *builder) tagHolds(tag string) bool {
	if minor, ok := strings.CutPrefix(tag, "go1."); ok {
		have := strings.TrimPrefix(b.p.cfg.Lang, "go1.")
		return len(minor) < len(have) || len(minor) == len(have) && minor <= have
	}
	unix := runtime.GOOS == "linux" || runtime.GOOS == "darwin"
	return tag == "unix" && unix || slices.Contains([]string{runtime.GOOS, runtime.GOARCH, "gc", "cgo"}, tag)
}
