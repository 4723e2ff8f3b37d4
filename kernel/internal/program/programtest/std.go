// Package programtest provides the compiled packages of the standard library for
// tests.
package programtest

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

// A Std holds the standard library's packages. It implements program.Importer.
type Std struct {
	Compile string // path of the compile tool

	archives  map[string]string // files of compiled packages, by import path
	importcfg string            // path of the importcfg file
}

// Archive returns the file of the compiled package with an import path.
func (s *Std) Archive(path string) (string, error) {
	if file := s.archives[path]; file != "" {
		return file, nil
	}
	return "", fmt.Errorf("package %s is not available: %%get %s fetches the package", path, path)
}

// Importcfg returns an importcfg file that covers the standard library.
func (s *Std) Importcfg([]string) (string, error) { return s.importcfg, nil }

// NewStd returns the compiled packages of the standard library. It runs the go command once per process.
func NewStd(t testing.TB) *Std {
	t.Helper()
	s, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var list = sync.OnceValues(func() (*Std, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", "std").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the standard library with the command go list: %w", err)
	}
	dir, err := exec.Command("go", "env", "GOTOOLDIR").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot find the folder of the Go tools with the command go env: %w", err)
	}
	s := &Std{Compile: filepath.Join(strings.TrimSpace(string(dir)), "compile"), archives: map[string]string{}}
	var cfg bytes.Buffer
	for line := range strings.Lines(string(out)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			s.archives[path] = file
			fmt.Fprintf(&cfg, "packagefile %s=%s\n", path, file)
		}
	}
	f, err := os.CreateTemp("", "importcfg")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.importcfg = f.Name()
	_, err = f.Write(cfg.Bytes())
	return s, err
})

// Main runs a package's tests, removes the file that NewStd has made, and exits.
func Main(m *testing.M) {
	code := m.Run()
	if s, _ := list(); s != nil {
		os.Remove(s.importcfg)
	}
	os.Exit(code)
}
