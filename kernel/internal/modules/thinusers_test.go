package modules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestThinImportcfg: a unit that imports a package which was compiled against the complete form of package mp, directly or not, is
// compiled against the complete form, too.
func TestThinImportcfg(t *testing.T) {
	m := testModules(t, t.TempDir())
	thin := "packagefile " + libraryModule + "lib/mp=/thin.a\n"
	if err := os.WriteFile(filepath.Join(m.img.Dir, "importcfg-thin"), []byte(thin), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := m.ThinImportcfg([]string{"fmt"}); err != nil || got != m.img.ThinImportcfgFile() {
		t.Errorf("%s, %v", got, err)
	}
	for _, path := range []string{"lib/speedup/pools", "lib/cluster/clusterworker", "lib/display"} {
		out, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", libraryModule+path).Output()
		if err != nil {
			t.Fatal(err)
		}
		m.Register("example.com/"+path, strings.TrimSpace(string(out)))
	}
	for imports, want := range map[string]bool{"example.com/lib/display": true, "example.com/lib/speedup/pools": false, "example.com/lib/display example.com/lib/cluster/clusterworker": false} {
		file, err := m.ThinImportcfg(strings.Fields(imports))
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(content), thin); got != want {
			t.Errorf("%s: thin packages %v, want %v:\n%s", imports, got, want, content)
		}
	}
	m.Register("example.com/broken", filepath.Join(m.img.Dir, "importcfg"))
	if _, err := m.ThinImportcfg([]string{"example.com/broken"}); err == nil || !strings.Contains(err.Error(), "example.com/broken") {
		t.Errorf("a file that is no archive: %v", err)
	}
}
