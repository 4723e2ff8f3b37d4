package session

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
)

// TestOtherBuild gives the linker a package that was compiled against another
// build of a package that it imports. Objects refer to symbols by index, so its calls would call wrong functions.
func TestOtherBuild(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	std, err := os.ReadFile(img.ImportcfgFile())
	if err != nil {
		t.Fatal(err)
	}
	compile := func(path, name, src string, imports ...string) string {
		archive, file, cfg := filepath.Join(dir, name+".a"), filepath.Join(dir, name+".go"), filepath.Join(dir, name+".cfg")
		text := string(std)
		for i := 0; i < len(imports); i += 2 {
			text += fmt.Sprintf("packagefile %s=%s\n", imports[i], imports[i+1])
		}
		for file, text := range map[string]string{file: src, cfg: text} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), img.Toolchain.Compile(), "-p", path, "-o", archive, "-importcfg", cfg, "-pack", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return archive
	}
	low1 := compile("example.com/low", "low1", "package low\n\n//go:noinline\nfunc A() string { return \"A\" }\n\n//go:noinline\nfunc B() string { return \"B\" }\n")
	low2 := compile("example.com/low", "low2", "package low\n\n//go:noinline\nfunc A0() string { return \"A0\" }\n\n//go:noinline\nfunc A() string { return \"A\" }\n\n//go:noinline\nfunc B() string { return \"B\" }\n")
	high := compile("example.com/high", "high", "package high\n\nimport \"example.com/low\"\n\n//go:noinline\nfunc F() string { return low.A() + low.B() }\n", "example.com/low", low1)
	for _, c := range []struct {
		low, cell string
		want      []string
	}{
		{low1, "import \"example.com/high\"\nhigh.F()", []string{"\"AB\""}},
		{low2, "import \"example.com/low\"\nlow.A()", []string{"\"A\""}},
		{low2, "import \"example.com/high\"\nhigh.F()", []string{"package example.com/high was compiled against another build of package example.com/low"}},
	} {
		s, err := New(Config{Image: img, Dir: dir, CacheDir: t.TempDir(), Packages: map[string]string{"example.com/low": c.low, "example.com/high": high}, ProgressDelay: noProgress})
		if err != nil {
			t.Fatal(err)
		}
		got := show(t, s, c.cell)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s\ngot %q, want %q", c.cell, got, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestImagePackageBesideReplacement imports a package of the image that was compiled
// against a package which the notebook's module requires in another version.
func TestImagePackageBesideReplacement(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/other

go 1.26

require golang.org/x/image v0.0.0

replace golang.org/x/image => ./image
-- notebooks/x.txt --
-- image/go.mod --
module golang.org/x/image

go 1.26
-- image/tiff/tiff.go --
package tiff

func Own() int { return 3 }
`)
	if got, want := show(t, s, "import \"golang.org/x/image/tiff\"\ntiff.Own()"), "[result text/plain]\n3\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := show(t, s, "import \"gonum.org/v1/plot/vg/vgimg\"\nvgimg.DefaultDPI"), "[result text/plain]\n96\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := show(t, s, "vgimg.DefaultDPI + tiff.Own()")
	if want := "package gonum.org/v1/plot/vg/vgimg was compiled against another build of package golang.org/x/image/tiff"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A package that imports the other version indirectly is refused, too: its exported types may refer to that
	// version.
	got = show(t, s, "import \"gonum.org/v1/plot\"\nplot.New().X.Min > 0, tiff.Own()")
	if want := "package gonum.org/v1/plot needs another version of package golang.org/x/image/tiff than the cell imports"; !strings.Contains(got, want) || !strings.Contains(got, "3") {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := show(t, s, "plot.New().Y.Min > 0, tiff.Own()"); strings.Contains(got, "another version") {
		t.Errorf("it is said once more: %q", got)
	}
}
