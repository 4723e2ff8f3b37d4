package docs

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

const (
	modulePath = "github.com/perijove/perijove"
	release    = "v0.99.0"
)

// TestInstallFromProxy does what the README says to install Perijove, from a module proxy in a folder that has the
// working tree as a release. Go's module cache is an empty one while the program is built. The worker image comes from
// the user's cache: it belongs to the sources that the program contains, which must be those of the working tree.
func TestInstallFromProxy(t *testing.T) {
	dir := t.TempDir()
	writeProxy(t, filepath.Join(dir, "proxy", filepath.FromSlash(modulePath), "@v"))
	cache := strings.TrimSpace(command(t, nil, "go", "env", "GOMODCACHE"))
	env := append(os.Environ(),
		"GOPROXY=file://"+filepath.Join(dir, "proxy")+",file://"+filepath.Join(cache, "cache", "download"),
		"GOSUMDB=off", "GOFLAGS=-modcacherw -trimpath", "GOWORK=off",
		"GOMODCACHE="+filepath.Join(dir, "modules"), "GOBIN="+filepath.Join(dir, "bin"),
	)
	command(t, env, "go", "install", modulePath+"/kernel/cmd/perijove@"+release)
	program := filepath.Join(dir, "bin", "perijove")

	// GOMODCACHE is a setting that an image belongs to.
	env = append(os.Environ(), "JUPYTER_DATA_DIR="+filepath.Join(dir, "jupyter"))
	command(t, env, program, "install")
	spec, err := os.ReadFile(filepath.Join(dir, "jupyter", "kernels", "perijove", "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(spec, []byte(program)) {
		t.Errorf("the kernelspec does not start %s:\n%s", program, spec)
	}
	notebook := filepath.Join(dir, "n.ipynb")
	if err := os.WriteFile(notebook, []byte(`{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", "cell_type": "code",
		"metadata": {}, "outputs": [], "execution_count": null, "source": "strings.ToUpper(\"from a proxy\")"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, env, program, "run", notebook, "-o", notebook)
	if got := readOutputs(t, notebook, 1)[0].text; got != "\"FROM A PROXY\"\n" {
		t.Errorf("the cell shows %q", got)
	}
}

// writeProxy writes the working tree to dir as a module proxy has it.
func writeProxy(t *testing.T, dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var files []modzip.File
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "node_modules" || name == "out" || name == ".git" || name == ".ipynb_checkpoints"):
			return fs.SkipDir // git ignores them
		case d.Type().IsRegular() && name != ".git":
			files = append(files, treeFile{root, path})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	version := module.Version{Path: modulePath, Version: release}
	if err := modzip.Create(&archive, version, files); err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]any{"Version": release, "Time": time.Unix(1e9, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"list": []byte(release + "\n"), release + ".zip": archive.Bytes(), release + ".mod": gomod, release + ".info": info,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// command runs a program outside of the module and returns what it prints.
func command(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = os.TempDir(), env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.Bytes())
	}
	return string(out)
}

// A treeFile is a file of the working tree.
type treeFile struct{ root, path string }

func (f treeFile) Path() string                 { return f.path }
func (f treeFile) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(f.root, f.path)) }
func (f treeFile) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.root, f.path)) }
