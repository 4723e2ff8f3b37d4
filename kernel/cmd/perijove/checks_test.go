package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/kernelspec"
)

// fakeMachine is an environment that passes all checks unless a field is set.
type fakeMachine struct {
	noGo, noSpec, noJupyter, noCache, specOfOther bool

	widgetsVersion string // empty means 5.0.15, "none" none

	version string
	missing string // a path that does not exist
	free    uint64
	os      string
}

func (m fakeMachine) platform() string {
	if m.os != "" {
		return m.os
	}
	return "linux/amd64"
}

func (m fakeMachine) goCommand() (string, error) {
	if m.noGo {
		return "", errors.New("install Go from https://go.dev/dl")
	}
	return "/go/bin/go", nil
}

func (m fakeMachine) goVersion(context.Context, string) (string, error) {
	if m.version == "" {
		return "1.26.4", nil
	}
	return m.version, nil
}

func (m fakeMachine) kernelspec() (kernelspec.Spec, error) {
	if m.noSpec {
		return kernelspec.Spec{}, fs.ErrNotExist
	}
	if m.specOfOther {
		return kernelspec.New("/old/perijove", "/go/bin/go")
	}
	return kernelspec.New(m.program(), "/go/bin/go")
}

func (m fakeMachine) isExecutable(path string) bool { return path != m.missing }
func (m fakeMachine) program() string               { return "/bin/perijove" }
func (m fakeMachine) jupyter() (string, bool)       { return "/bin/jupyter-lab", !m.noJupyter }

func (m fakeMachine) widgets() (string, bool) {
	return cmp.Or(m.widgetsVersion, "5.0.15"), m.widgetsVersion != "none"
}

func (m fakeMachine) writableCache() (string, error) {
	if m.noCache {
		return "", errors.New("/cache: permission denied")
	}
	return "/cache/perijove", nil
}

func (m fakeMachine) memory() (uint64, error) {
	if m.free != 0 {
		return m.free, nil
	}
	return 8 << 30, nil
}

func TestDoctor(t *testing.T) {
	for _, test := range []struct {
		name string
		m    fakeMachine
		well bool
		want []string // parts of the output
	}{
		{"sound", fakeMachine{}, true, []string{"version 1.26.4", "8192 MB"}},
		{"no go", fakeMachine{noGo: true}, false, []string{"FAIL  go", "go.dev/dl"}},
		{"old go", fakeMachine{version: "1.21.0"}, false, []string{"FAIL  go", "1.26"}},
		{"newer go", fakeMachine{version: "1.31.2"}, true, []string{"note  go", "1.26", "separate programs"}},
		{"release candidate", fakeMachine{version: "1.26rc1"}, true, nil},
		{"no kernelspec", fakeMachine{noSpec: true}, false, []string{"FAIL  kernelspec", "perijove install"}},
		{"program moved", fakeMachine{missing: "/bin/perijove"}, false, []string{"FAIL  kernelspec", "perijove install"}},
		{"go moved", fakeMachine{missing: "/go/bin/go"}, false, []string{"FAIL  kernelspec", "go command"}},
		{"another perijove", fakeMachine{specOfOther: true}, true, []string{"note  kernelspec", "/old/perijove"}},
		{"no jupyter", fakeMachine{noJupyter: true}, true, []string{"note  jupyter", "apt-get install jupyterlab"}},
		{"no widgets", fakeMachine{widgetsVersion: "none"}, true, []string{"note  widgets", "pip install jupyterlab_widgets"}},
		{"old widgets", fakeMachine{widgetsVersion: "3.1.0"}, true, []string{"note  widgets", "version 3.1.0", "pip install jupyterlab_widgets"}},
		{"no cache", fakeMachine{noCache: true}, false, []string{"FAIL  cache", "PERIJOVE_CACHE"}},
		{"little memory", fakeMachine{free: 100 << 20}, true, []string{"note  memory", "100 MB"}},
		{"other system", fakeMachine{os: "plan9/arm"}, false, []string{"FAIL  platform", "linux/amd64"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if well := runChecks(t.Context(), test.m, &out); well != test.well {
				t.Errorf("examine = %v, want %v", well, test.well)
			}
			for _, part := range test.want {
				if !strings.Contains(out.String(), part) {
					t.Errorf("no %q in\n%s", part, out.String())
				}
			}
			if test.name == "sound" && strings.Contains(out.String(), "->") {
				t.Errorf("a remedy for nothing:\n%s", out.String())
			}
		})
	}
}

// TestWidgetsOfAnEnvironment checks that the extension is found in the Python environment of a jupyter command that is a
// symbolic link, such as pipx makes.
func TestWidgetsOfAnEnvironment(t *testing.T) {
	bin, venv := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("JUPYTER_PATH", "")
	t.Setenv("JUPYTER_DATA_DIR", t.TempDir())
	extension := filepath.Join(venv, "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager")
	command := filepath.Join(venv, "bin", "jupyter-lab")
	for _, err := range []error{
		os.MkdirAll(extension, 0o755), os.Mkdir(filepath.Dir(command), 0o755),
		os.WriteFile(command, []byte("#!/bin/sh\n"), 0o755),
		os.WriteFile(filepath.Join(extension, "package.json"), []byte(`{"version": "5.0.13"}`), 0o644),
		os.Symlink(command, filepath.Join(bin, "jupyter-lab")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if version, ok := newEnvironment().widgets(); version != "5.0.13" || !ok {
		t.Errorf("widgets = %q, %v", version, ok)
	}
}
