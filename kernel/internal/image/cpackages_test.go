package image

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestVersionConflicts: before any compilation, one error names all modules whose versions in the notebook differ from
// those that the worker executable can have.
func TestVersionConflicts(t *testing.T) {
	m := testImage(t)
	set := &CSet{Packages: []string{"gonum.org/v1/gonum/mat"}, Modules: []Module{
		{Path: "gonum.org/v1/gonum", Version: "v0.15.0"},
		{Path: "golang.org/x/image", Version: "v0.18.0"},
		{Path: "golang.org/x/sys", Version: "v0.49.0"},
	}}
	var steps []string
	_, err := m.With(t.Context(), set, func(s string) { steps = append(steps, s) })
	if err == nil {
		t.Fatal("an image of versions that do not go together")
	}
	for _, want := range []string{
		"golang.org/x/image v0.18.0 (Perijove needs v0.", "gonum.org/v1/gonum v0.15.0 (Perijove needs v0.",
		"%get golang.org/x/image@v0.", " gonum.org/v1/gonum@v0.",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "x/sys") {
		t.Errorf("a module of the right version is named: %v", err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != "image: compare versions" {
		t.Errorf("the steps were %q", steps)
	}
}

func TestConflicts(t *testing.T) {
	var list []listed
	if err := json.Unmarshal([]byte(`[
		{"ImportPath": "a/x", "Module": {"Path": "a", "Version": "v1.2.0"}},
		{"ImportPath": "a/y", "Module": {"Path": "a", "Version": "v1.2.0"}},
		{"ImportPath": "b", "Module": {"Path": "b", "Version": "v1.0.0"}},
		{"ImportPath": "c", "Module": {"Path": "c", "Version": "v1.0.0", "Replace": {"Path": "./c"}}},
		{"ImportPath": "d", "Module": {"Path": "d", "Version": "v0.3.0"}},
		{"ImportPath": "fmt"}]`), &list); err != nil {
		t.Fatal(err)
	}
	err := conflicts([]Module{{"a", "v1.0.0", ""}, {"b", "v1.0.0", ""}, {"c", "v0.1.0", ""}, {"d", "v0.1.0", ""}, {"e", "v1.0.0", ""}}, list)
	if err == nil || !strings.HasSuffix(err.Error(), "%get a@v1.2.0 d@v0.3.0") {
		t.Errorf("got %v", err)
	}
	if err := conflicts([]Module{{"a", "v1.2.0", ""}, {"d", "v0.1.0", "./d"}}, list); err != nil {
		t.Errorf("got %v", err)
	}
}
