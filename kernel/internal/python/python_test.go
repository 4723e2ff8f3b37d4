package python

import (
	"go/build"
	"strings"
	"testing"
)

// TestCounterparts looks for the packages of the standard library in this table.
func TestCounterparts(t *testing.T) {
	for module := range counterparts {
		path := Counterpart(module)
		if strings.Contains(path, ".") || path == "testing" {
			continue
		}
		if found, err := build.Import(path, "", build.FindOnly); err != nil || !found.Goroot {
			t.Errorf("%s: %s is not a package of the standard library: %v", module, path, err)
		}
	}
	if path := Counterpart("math"); path != "" {
		t.Errorf("math has the same path in Go, but has the counterpart %s", path)
	}
}

// TestMagics checks the texts about directives of IPython.
func TestMagics(t *testing.T) {
	for _, name := range []string{"%pip", "%matplotlib", "%%html", "%cat"} {
		if Magic(name) == "" {
			t.Errorf("nothing is said about %s", name)
		}
	}
	if text := Magic("%nothing"); text != "" {
		t.Error(text)
	}
}
