package plotfonts

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font/liberation"
)

// TestRelease checks that the fonts have their values after Release. Tests of package platform check which pages are
// resident.
func TestRelease(t *testing.T) {
	var before [][]byte
	for _, font := range fonts() {
		before = append(before, bytes.Clone(font))
	}
	if err := Release(); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(fonts(), before, bytes.Equal) {
		t.Error("a font has changed")
	}
}

// TestFontsAreComplete checks that fonts has all fonts that package plot reads.
func TestFontsAreComplete(t *testing.T) {
	parsed := map[string]bool{}
	for _, font := range fonts() {
		f, err := opentype.Parse(font)
		if err != nil {
			t.Fatal(err)
		}
		parsed[fullName(t, f)] = true
	}
	for _, face := range liberation.Collection() {
		if name := fullName(t, face.Face); !parsed[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func fullName(t *testing.T, f *opentype.Font) string {
	t.Helper()
	name, err := f.Name(nil, sfnt.NameIDFull)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
