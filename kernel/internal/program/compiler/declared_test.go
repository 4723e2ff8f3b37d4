package compiler

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDeclared: a unit is compiled in the form Declared if thin packages are in use, and in its own form if the compiler refuses the other.
func TestDeclared(t *testing.T) {
	thinInUse := true
	var complete, thin string
	c := newCompiler(t, func(cfg *Config) {
		complete, thin = mustImportcfg(t, cfg), filepath.Join(cfg.Dir, "thin")
		content, err := os.ReadFile(complete)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(thin, content, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.ThinImportcfg = func([]string) (string, error) {
			if thinInUse {
				return thin, nil
			}
			return complete, nil
		}
	})
	other, wrong := unit("func declared() {}"), unit("func declared() int { return nil }")
	other.NoInlining, wrong.NoInlining = true, true
	for _, test := range []struct {
		name       string
		declared   *Unit
		noInlining bool
		thin       bool
		want       int
	}{
		{"declared", &other, true, true, 1},
		{"refused", &wrong, true, true, 0},
		{"with inlining", &wrong, false, true, 0},
		{"complete packages", &wrong, true, false, 0},
		{"none", nil, true, true, 0},
	} {
		thinInUse = test.thin
		u := unit("func plain() {}")
		u.NoInlining, u.Declared = test.noInlining, test.declared
		before := c.Counts().Declared
		object, err := c.Compile(t.Context(), u)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if _, err := os.Stat(object); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := c.Counts().Declared - before; got != test.want {
			t.Errorf("%s: %d units in the other form, want %d", test.name, got, test.want)
		}
	}
}

func mustImportcfg(t *testing.T, cfg *Config) string {
	t.Helper()
	file, err := cfg.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
