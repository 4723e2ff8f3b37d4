package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const exportNotebook = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
 {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# Sums"},
 {"id": "b", "cell_type": "code", "metadata": {"tags": ["parameters"]}, "execution_count": 1, "source": "n := 3",
  "outputs": [{"output_type": "stream", "name": "stdout", "text": "\u001b[31mred\u001b[0m"}]},
 {"id": "c", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": "fmt.Println(n * n)"}]}`

func runCommandLine(t *testing.T, args ...string) error {
	t.Helper()
	root := newCommand()
	root.SetArgs(args)
	return root.ExecuteContext(t.Context())
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("sums.ipynb"), []byte(exportNotebook), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := runCommandLine(t, "export", at("sums.ipynb"), "--go", at("sums"), "--md", at("sums.md"), "--html", at("sums.html")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "-n", "5")
	cmd.Dir = at("sums")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "25\n" {
		t.Errorf("the program printed %s, error %v", out, err)
	}
	md, err := os.ReadFile(at("sums.md"))
	if want := "# Sums\n\n```go\nn := 3\n```\n\n```text\nred\n```\n\n```go\nfmt.Println(n * n)\n```\n"; err != nil || string(md) != want {
		t.Errorf("Markdown is %q, want %q, error %v", md, want, err)
	}
	if page, err := os.ReadFile(at("sums.html")); err != nil || !strings.Contains(string(page), "<html") {
		t.Errorf("no HTML page, error %v", err)
	}
	if err := runCommandLine(t, "export", at("sums.ipynb"), "--go", at("sums")); err != nil {
		t.Errorf("a second export fails: %v", err)
	}
	if err := runCommandLine(t, "export", at("sums.ipynb"), "--go", dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("the export to a folder with other files: error %v", err)
	}
}

func TestBuildForAnotherPlatform(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("sums.ipynb"), []byte(exportNotebook), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := runCommandLine(t, "build", at("sums.ipynb"), "-o", at("sums"), "--os", "linux", "--arch", "arm64"); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(at("sums"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("the program is for %v", f.Machine)
	}
	emulator, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Log("the program is not run: qemu-aarch64-static is not installed")
		return
	}
	if out, err := exec.CommandContext(t.Context(), emulator, at("sums")).CombinedOutput(); err != nil || string(out) != "9\n" {
		t.Errorf("the program printed %s, error %v", out, err)
	}
}

func TestBuildRefusesC(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"go.mod":   "module example.com/app\n\ngo 1.26\n",
		"c/c.go":   "package c\n\n// int one(void) { return 1; }\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n",
		"nb.ipynb": strings.Replace(exportNotebook, "fmt.Println(n * n)", `import \"example.com/app/c\"\nc.One()`, 1),
	} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	if err := runCommandLine(t, "build", at("nb.ipynb"), "-o", at("nb")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), at("nb")).CombinedOutput(); err != nil || string(out) != "1\n" {
		t.Errorf("the program printed %s, error %v", out, err)
	}
	err := runCommandLine(t, "build", at("nb.ipynb"), "-o", at("nb2"), "--arch", "arm64")
	if err == nil || !strings.Contains(err.Error(), "example.com/app/c") {
		t.Errorf("the build for another processor: error %v", err)
	}
}
