package cellruntime

import (
	"embed"
	"strings"
	"testing"
	"testing/fstest"
)

var embedRoot = fstest.MapFS{
	"a.txt":            {Data: []byte("a")},
	"b.txt":            {Data: []byte("b")},
	"two words.txt":    {Data: []byte("w")},
	"site/index.html":  {Data: []byte("<p>")},
	"site/img/x.png":   {Data: []byte("png")},
	"site/.hidden":     {Data: []byte("h")},
	"site/_tmp/y.html": {Data: []byte("t")},
}

// TestEmbedFS: the methods of the resulting embed.FS work.
func TestEmbedFS(t *testing.T) {
	var fsys embed.FS
	if err := embedInto(&fsys, "site *.txt", embedRoot); err != nil {
		t.Fatal(err)
	}
	want := []string{"a.txt", "b.txt", "two words.txt", "site/index.html", "site/img/x.png"}
	if err := fstest.TestFS(fsys, want...); err != nil {
		t.Error(err)
	}
	for _, hidden := range []string{"site/.hidden", "site/_tmp/y.html"} {
		if _, err := fsys.Open(hidden); err == nil {
			t.Errorf("%s is there", hidden)
		}
	}
	if err := embedInto(&fsys, "all:site", embedRoot); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "site/.hidden", "site/_tmp/y.html"); err != nil {
		t.Error(err)
	}
}

func TestEmbedVariables(t *testing.T) {
	type text string
	var s text
	var b []byte
	if err := embedInto(&s, "\"two words.txt\"", embedRoot); err != nil || s != "w" {
		t.Errorf("%q, %v", s, err)
	}
	if err := embedInto(&b, "a.txt", embedRoot); err != nil || string(b) != "a" {
		t.Errorf("%q, %v", b, err)
	}
	for pattern, want := range map[string]string{
		"*.txt":      "3 files",
		"missing":    "no file in the folder of the cells matches",
		"../up":      "below the folder",
		"\"open":     "not closed",
		"site/.none": "no file in the folder of the cells matches",
	} {
		if err := embedInto(&s, pattern, embedRoot); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}
