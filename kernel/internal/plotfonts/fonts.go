// Package plotfonts frees the memory of the fonts that package plot reads when it is initialized.
package plotfonts

import (
	"errors"

	"codeberg.org/go-fonts/liberation/liberationmonobold"
	"codeberg.org/go-fonts/liberation/liberationmonobolditalic"
	"codeberg.org/go-fonts/liberation/liberationmonoitalic"
	"codeberg.org/go-fonts/liberation/liberationmonoregular"
	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansbolditalic"
	"codeberg.org/go-fonts/liberation/liberationsansitalic"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-fonts/liberation/liberationserifbold"
	"codeberg.org/go-fonts/liberation/liberationserifbolditalic"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Release removes the fonts from the resident memory of the process. If the process draws a plot, the system reads
// the fonts again from the executable, which it caches. Nothing must write to the fonts before Release returns.
func Release() error {
	var errs []error
	for _, font := range fonts() {
		errs = append(errs, platform.ReleaseUnwritten(font))
	}
	return errors.Join(errs...)
}

// fonts returns the fonts of package plot. Their memory is writable, but never written.
func fonts() [][]byte {
	return [][]byte{
		liberationmonobold.TTF, liberationmonobolditalic.TTF, liberationmonoitalic.TTF, liberationmonoregular.TTF,
		liberationsansbold.TTF, liberationsansbolditalic.TTF, liberationsansitalic.TTF, liberationsansregular.TTF,
		liberationserifbold.TTF, liberationserifbolditalic.TTF, liberationserifitalic.TTF, liberationserifregular.TTF,
	}
}
