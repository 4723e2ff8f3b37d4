package definers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// standard returns the archives of packages of the standard library, by import path.
func standard(t testing.TB, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, _ := strings.Cut(strings.TrimSpace(line), " "); file != "" {
			list[path] = file
		}
	}
	return list
}

func TestDefiners(t *testing.T) {
	archives := standard(t, "std")
	d := &Index{}
	if changed, err := d.Update(archives); err != nil || !changed {
		t.Fatal(changed, err)
	}
	for name, want := range map[string]string{
		"reflect.mapiterinit":        "runtime",
		"runtime.mapassign_fast64":   "internal/runtime/maps",
		"sync.runtime_Semacquire":    "runtime",
		"internal/bytealg.IndexByte": "internal/bytealg", // assembly
		"nobody.defines":             "",
	} {
		if got := strings.Join(d.Packages(name), " "); got != want {
			t.Errorf("%s is defined by %q, want %q", name, got, want)
		}
	}
	if changed, err := d.Update(archives); err != nil || changed {
		t.Errorf("nothing has changed, and Update says %v, %v", changed, err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "extra.a")
	b, err := os.ReadFile(archives["runtime"])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	archives["a/first"] = file
	if changed, err := d.Update(archives); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if got := strings.Join(d.Packages("reflect.mapiterinit"), " "); got != "a/first runtime" {
		t.Errorf("of two definitions the index knows %q", got)
	}
}

func BenchmarkDefiners(b *testing.B) {
	archives := standard(b, "std")
	for b.Loop() {
		d := &Index{}
		if _, err := d.Update(archives); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(d.first)), "names")
	}
}

// TestDamagedArchive: the error names the package and the file, each time.
func TestDamagedArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "damaged.a")
	if err := os.WriteFile(file, []byte("!<arch>\nno archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := &Index{}
	for range 2 {
		if _, err := d.Update(map[string]string{"example.com/damaged": file}); err == nil || !strings.Contains(err.Error(), "example.com/damaged in "+file) {
			t.Errorf("a damaged archive: %v", err)
		}
	}
}
