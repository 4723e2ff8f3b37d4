package image

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perijove/perijove"
)

func TestToolchainIsRemembered(t *testing.T) {
	dir := t.TempDir()
	tc, err := findToolchain(t.Context(), Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "toolchains", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	var kept remembered
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &kept); err != nil || kept.Toolchain != tc {
		t.Errorf("kept is %+v, want %+v (%v)", kept, tc, err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := findToolchain(t.Context(), Options{CacheDir: dir}); err != nil || again != tc {
		t.Errorf("from a broken file: %+v, %v", again, err)
	}
}

// TestCachedToolchain: the go command runs once, as long as it does not change.
func TestCachedToolchain(t *testing.T) {
	t.Setenv("PERIJOVE_CACHE", t.TempDir())
	t.Setenv("GOTOOLCHAIN", "")
	root := t.TempDir()
	file := filepath.Join(t.TempDir(), "go")
	script := func(version string) {
		text := fmt.Sprintf(`#!/bin/sh
echo >> %[1]s/calls
printf '{"GOROOT":"%[1]s","GOTOOLDIR":"%[1]s","GOVERSION":"%[2]s","GOTOOLCHAIN":"auto"}'
`, root, version)
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "compile"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	calls := func(version string, want int) {
		t.Helper()
		tc, err := CachedToolchainOf(t.Context(), file)
		log, _ := os.ReadFile(filepath.Join(root, "calls"))
		if err != nil || tc.Version != version || len(log) != want {
			t.Errorf("%s after %d calls (%v), want %s after %d", tc.Version, len(log), err, version, want)
		}
	}
	script("go1.26.3")
	calls("go1.26.3", 1)
	calls("go1.26.3", 1)
	script("go1.26.10")
	calls("go1.26.10", 2)
	if tc, err := ToolchainOf(t.Context(), file); err != nil || tc.Version != "go1.26.10" {
		t.Errorf("without the cache: %v, %v", tc, err)
	}
	calls("go1.26.10", 3)
}

func TestLang(t *testing.T) {
	for version, want := range map[string]string{"go1.26.8": "go1.26", "go1.26": "go1.26", "go1.26rc2": "go1.26", "go1.99.1": (Toolchain{Version: runtime.Version()}).release()} {
		if got := (Toolchain{Version: version}).Lang(); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
	if err := checkSupported(Toolchain{Version: "go1.19.2", Root: "/usr/lib/go"}); err == nil || !strings.Contains(err.Error(), "PERIJOVE_GO") {
		t.Errorf("an old toolchain: %v", err)
	}
	if _, err := Open(t.Context(), Options{Go: "/nowhere/go", Source: perijove.Source, CacheDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "/nowhere/go") {
		t.Errorf("a go command that is not there: %v", err)
	}
}

// fakeGo returns the path of a script that acts as a go command of a version. If GOTOOLCHAIN names another version, it
// acts as a go command of that version. choice is its default setting of GOTOOLCHAIN.
func fakeGo(t *testing.T, version, choice string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "go")
	script := `#!/bin/sh
version=` + version + `
case "$GOTOOLCHAIN" in go*) version=$GOTOOLCHAIN ;; esac
printf '{"GOROOT":"/r","GOTOOLDIR":"/r/tool","GOVERSION":"%s","GOTOOLCHAIN":"%s"}' "$version" "` + choice + `"
`
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOtherToolchains: a toolchain that the linker does not support is replaced by another if the user's GOTOOLCHAIN
// allows it. Otherwise, an older toolchain is refused, and with a newer one cells run as programs.
func TestOtherToolchains(t *testing.T) {
	t.Setenv("GOTOOLCHAIN", "")
	for _, c := range []struct {
		version, choice string
		want, err       string
	}{
		{"go1.26.3", "auto", "go1.26.3", ""},
		{"go1.25.4", "auto", fetched(), ""},
		{"go1.25.4", "local+auto", fetched(), ""},
		{"go1.25.4", "local", "", "Go 1.25.4 at /r is too old: Perijove needs Go 1.26 or newer"},
		{"go1.99.1", "auto", fetched(), ""},
		{"go1.99.1", "local", "go1.99.1", ""},
		{"devel go1.99-abc", "local", "go1.99-abc", ""},
	} {
		tc, err := ToolchainOf(t.Context(), fakeGo(t, "'"+c.version+"'", c.choice))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "set GOTOOLCHAIN="+fetched()) {
				t.Errorf("%s: %v, want %q", c.version, err, c.err)
			}
		case err != nil || tc.Version != c.want:
			t.Errorf("%s, %s: %s, %v, want %s", c.version, c.choice, tc.Version, err, c.want)
		case (tc.Switch != "") != (tc.Version != c.version && c.choice != "local"):
			t.Errorf("%s: GOTOOLCHAIN=%s", c.version, tc.Switch)
		}
	}
}
