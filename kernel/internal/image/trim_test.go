package image

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTrim(t *testing.T) {
	images := t.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	var kept *Image
	for i := range 7 {
		m, err := open(t.Context(), images, fmt.Sprintf("k%d", i), fakeBuild)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			kept = m // the oldest image stays in use
		} else if m.use != nil {
			m.use.Close()
		}
		when := old.Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(filepath.Join(m.Dir, useFile), when, when); err != nil {
			t.Fatal(err)
		}
	}
	stale := filepath.Join(images, ".build-dead")
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(images, ".build-alive"), 0o755); err != nil {
		t.Fatal(err)
	}
	trim(images)
	var names []string
	entries, err := os.ReadDir(images)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), ".build-alive builds k0 k3 k4 k5 k6 lock"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	if err := kept.Check(); err != nil {
		t.Error(err)
	}
}
