package embedfiles

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestMatch(t *testing.T) {
	root := fstest.MapFS{"a.txt": {}, "two words.txt": {}, "site/x.png": {}, "site/.hidden": {}}
	names, err := Match(root, "site \"two words.txt\"")
	if want := []string{"site/x.png", "two words.txt"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, error %v, want %q", names, err, want)
	}
	names, err = Match(root, "all:site")
	if want := []string{"site/.hidden", "site/x.png"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, error %v, want %q", names, err, want)
	}
	for _, bad := range []string{"../a.txt", "missing", "`open", "["} {
		if names, err := Match(root, bad); err == nil {
			t.Errorf("%s matches %q", bad, names)
		}
	}
}

func TestSplitPatterns(t *testing.T) {
	got, err := splitPatterns(" a/*.txt \"b c\" `d`  e")
	if want := []string{"a/*.txt", "b c", "d", "e"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}
