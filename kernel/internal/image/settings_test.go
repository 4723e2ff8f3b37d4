package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// setenv sets variables for a test, or unsets those with value "-".
func setenv(t *testing.T, vars map[string]string) {
	t.Helper()
	for name, value := range vars {
		t.Setenv(name, value)
		if value == "-" {
			os.Unsetenv(name)
		}
	}
}

// keyUnder returns the key of the image with these environment variables.
func keyUnder(t *testing.T, cache string, vars map[string]string) (key string) {
	t.Helper()
	t.Run("", func(t *testing.T) {
		setenv(t, vars)
		tc, err := findToolchain(t.Context(), Options{CacheDir: cache})
		if err != nil {
			t.Fatal(err)
		}
		key, err = imageKey(tc, fstest.MapFS{}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
	})
	return key
}

// TestEffectiveSettings checks that images depend on the effective values of settings, not on the place at which a
// setting was made.
func TestEffectiveSettings(t *testing.T) {
	userFile := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(userFile, []byte("GOFLAGS=-trimpath\nGOAMD64=v2\nGOPROXY=off\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plain := map[string]string{"GOFLAGS": "-", "GOTOOLCHAIN": "-", "GOENV": "off", "GOAMD64": "-", "GOEXPERIMENT": "-", "GOROOT": "-"}
	with := func(vars map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{plain, vars} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	cache := t.TempDir()
	first := keyUnder(t, cache, plain)
	for _, vars := range []map[string]string{{"GOFLAGS": ""}, {"GOTOOLCHAIN": "auto"}, {"GOTOOLCHAIN": "local"}, {"GOENV": "/nowhere"}, {"GOAMD64": "v1"}, {"GOEXPERIMENT": ""}, {"GOPROXY": "off"}} {
		if keyUnder(t, cache, with(vars)) != first {
			t.Errorf("%v makes another image", vars)
		}
	}
	inFile := keyUnder(t, cache, with(map[string]string{"GOENV": userFile}))
	if inFile == first {
		t.Error("the user's file makes no other image")
	}
	if keyUnder(t, cache, with(map[string]string{"GOFLAGS": "-trimpath", "GOAMD64": "v2"})) != inFile {
		t.Error("the same settings in the environment make another image")
	}
	if keyUnder(t, cache, with(map[string]string{"GOENV": userFile, "GOFLAGS": "-gcflags=-N", "GOAMD64": "v2"})) == inFile {
		t.Error("other flags make no other image")
	}
	if err := os.WriteFile(userFile, []byte("GOPROXY=direct\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if keyUnder(t, cache, with(map[string]string{"GOENV": userFile})) != first {
		t.Error("a file that is empty again makes another image")
	}
}

// TestWarmStart: the cached toolchain is used until a file or variable that the go command reads changes.
func TestWarmStart(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"bin/go": `#!/bin/sh
echo "$*" >> "` + root + `/calls"
printf '{"GOROOT":"` + root + `","GOTOOLDIR":"` + root + `/tool","GOVERSION":"go1.26.8","GOTOOLCHAIN":"auto","GOFLAGS":"%s"}' "$GOFLAGS"
`, "tool/compile": "", "go.env": "GOTOOLCHAIN=auto\n", "user": "GOPROXY=off\n"} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOENV", filepath.Join(root, "user"))
	t.Setenv("GOFLAGS", "")
	opt := Options{Go: filepath.Join(root, "bin/go"), CacheDir: t.TempDir()}
	asked := func() int {
		if _, err := findToolchain(t.Context(), opt); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(root, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
	change := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"the first start", func() {}, 1},
		{"the second", func() {}, 1},
		{"a change of the user's file", func() { change("user", "GOFLAGS=-trimpath\n") }, 2},
		{"the next start", func() {}, 2},
		{"the file as it was", func() { change("user", "GOPROXY=off\n") }, 2},
		{"a change of the toolchain's file", func() { change("go.env", "GOTOOLCHAIN=local\n") }, 3},
		{"the start after that", func() {}, 3},
		{"a variable", func() { t.Setenv("GOFLAGS", "-trimpath") }, 4},
		{"the variable as it was", func() { t.Setenv("GOFLAGS", "") }, 4},
	} {
		step.do()
		if got := asked(); got != step.want {
			t.Errorf("%s: the go command was asked %d times, want %d", step.what, got, step.want)
		}
	}
}
