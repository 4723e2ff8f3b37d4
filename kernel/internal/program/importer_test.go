package program

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A listImporter serves all of std from one run of go list.
type listImporter struct {
	exports map[string]string
	cfg     string
}

func (im *listImporter) Archive(path string) (string, error) {
	if file := im.exports[path]; file != "" {
		return file, nil
	}
	return "", fmt.Errorf("package %s is not available: %%get %s fetches it", path, path)
}

func (im *listImporter) Importcfg([]string) (string, error) { return im.cfg, nil }

type toolchain struct {
	imp  *listImporter
	tool string
	err  error
}

var listStd = sync.OnceValue(func() toolchain {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", "std").Output()
	if err != nil {
		return toolchain{err: fmt.Errorf("go list: %w", err)}
	}
	dir, err := exec.Command("go", "env", "GOTOOLDIR").Output()
	if err != nil {
		return toolchain{err: err}
	}
	im := &listImporter{exports: map[string]string{}}
	var cfg bytes.Buffer
	for line := range strings.Lines(string(out)) {
		path, file, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok {
			im.exports[path] = file
			fmt.Fprintf(&cfg, "packagefile %s=%s\n", path, file)
		}
	}
	f, err := os.CreateTemp("", "importcfg")
	if err != nil {
		return toolchain{err: err}
	}
	defer f.Close()
	im.cfg = f.Name()
	_, err = f.Write(cfg.Bytes())
	return toolchain{imp: im, tool: strings.TrimSpace(string(dir)), err: err}
})

func TestMain(m *testing.M) {
	code := m.Run()
	if im := listStd().imp; im != nil {
		os.Remove(im.cfg)
	}
	os.Exit(code)
}

func newProgram(t testing.TB) *Program {
	t.Helper()
	tc := listStd()
	if tc.err != nil {
		t.Fatal(tc.err)
	}
	return New(Config{
		Compile:     filepath.Join(tc.tool, "compile"),
		Dir:         t.TempDir(),
		Importer:    tc.imp,
		KeepSources: true,
	})
}
