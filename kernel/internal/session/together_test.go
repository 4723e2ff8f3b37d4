package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
)

// TestImportsAreListedTogether imports several packages of a module in one cell: the go
// command runs once to list their C code and once to list their archives. It runs for
// each package separately only if one of them is not available.
func TestImportsAreListedTogether(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	logged := *img
	logged.Toolchain.Go = filepath.Join(dir, "go")
	log := filepath.Join(dir, "log")
	writeFile(t, logged.Toolchain.Go, []byte("#!/bin/sh\necho \"$*\" >>'"+log+"'\nexec '"+img.Toolchain.Go+"' \"$@\"\n"))
	if err := os.Chmod(logged.Toolchain.Go, 0o755); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":         "module example.com/many\n\ngo 1.26\n",
		"base/base.go":   "package base\n\nvar Calls int\n",
		"one/one.go":     "package one\n\nimport \"example.com/many/base\"\n\nfunc F() int { base.Calls++; return 1 }\n",
		"two/two.go":     "package two\n\nimport \"example.com/many/base\"\n\nfunc F() int { base.Calls++; return 2 }\n",
		"three/three.go": "package three\n\nimport \"example.com/many/one\"\n\nfunc F() int { return one.F() + 2 }\n",
		"four/four.go":   "package four\n\nfunc F() int { return 4 }\n",
		"bad/bad.go":     "package bad\n\nfunc F() int { return missing }\n",
	} {
		writeFile(t, filepath.Join(folder, name), []byte(text))
	}
	s, err := New(Config{Image: &logged, Dir: folder, CacheDir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if got, want := show(t, s, `import (
	"example.com/many/two"
	"example.com/many/three"
	"example.com/many/one"
)
one.F(), two.F(), three.F()`), "[result text/plain]\n1\n2\n3\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := lists(t, log); n != 2 {
		t.Errorf("the go command listed packages %d times, want 2", n)
	}
	// The go command does not run again for packages that were in an earlier list.
	if got, want := show(t, s, "import \"example.com/many/base\"\nbase.Calls"), "[result text/plain]\n3\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got := show(t, s, "import (\n\t\"example.com/many/bad\"\n\t\"example.com/many/four\"\n\t\"example.com/many/none\"\n)\nfour.F()")
	for _, want := range []string{"undefined: missing", "Cell [3] line 2:2", "Cell [3] line 4:2"} {
		if !strings.Contains(got, want) {
			t.Errorf("the error does not have %q:\n%s", want, got)
		}
	}
	if got, want := show(t, s, "import \"example.com/many/four\"\nfour.F()"), "[result text/plain]\n4\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// lists counts the calls of go list for packages in a log of the go command's arguments.
func lists(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "list ") && !strings.Contains(line, "Stale") {
			n++
		}
	}
	return n
}
