// Package kernelspec installs, finds and removes the kernelspec, which tells
// Jupyter how to start the kernel.
package kernelspec

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:generate go run genlogo.go

// Name is the kernelspec's name, and that of its folder.
const Name = "perijove"

// DisplayName is the name of the kernel that front ends show.
const DisplayName = "Go (Perijove)"

//go:embed files
var icons embed.FS

// A Spec is the content of kernel.json.
type Spec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"`
	Env           map[string]string `json:"env"`
	Metadata      Metadata          `json:"metadata"`
}

// Metadata is the part of a Spec that JupyterLab reads.
type Metadata struct {
	Debugger bool `json:"debugger"`
}

// A Reference names a kernelspec in a notebook's metadata.
type Reference struct {
	DisplayName string `json:"display_name"`
	Language    string `json:"language"`
	Name        string `json:"name"`
}

// Own returns the reference to this kernel.
func Own() Reference { return Reference{DisplayName, "go", Name} }

// New returns the spec of a kernel. program and goCommand must be absolute paths, since the PATH of Jupyter often
// lacks the folder of the go command.
func New(program, goCommand string) (Spec, error) {
	for _, p := range []string{program, goCommand} {
		if !filepath.IsAbs(p) {
			return Spec{}, fmt.Errorf("kernelspec: the path %q of a program must be absolute", p)
		}
	}
	return Spec{
		Argv:          []string{program, "kernel", "{connection_file}"},
		DisplayName:   DisplayName,
		Language:      "go",
		InterruptMode: "message",
		Env:           map[string]string{"PERIJOVE_GO": goCommand},
	}, nil
}

// DataDir returns the user's Jupyter data folder, as Jupyter itself finds it:
// JUPYTER_DATA_DIR, else jupyter in XDG_DATA_HOME, else .local/share/jupyter in
// the home folder.
func DataDir(getenv func(string) string) (string, error) {
	if d := getenv("JUPYTER_DATA_DIR"); d != "" {
		return filepath.Abs(d)
	}
	if d := getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "jupyter"), nil
	}
	home := getenv("HOME")
	if home == "" {
		return "", errors.New("kernelspec: cannot find Jupyter's data folder: set HOME or JUPYTER_DATA_DIR")
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// Dir returns the folder of the spec in a data folder.
func Dir(dataDir string) string { return filepath.Join(dataDir, "kernels", Name) }

// Install writes the spec and its icons into a data folder and returns their folder. If
// these files exist, it replaces each file atomically, kernel.json last, so that front ends always find a complete
// spec.
func Install(dataDir string, spec Spec) (string, error) {
	dir := Dir(dataDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("kernelspec: cannot make the folder of the kernel: %w", err)
	}
	entries, err := icons.ReadDir("files")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		content, err := icons.ReadFile("files/" + e.Name())
		if err != nil {
			return "", err
		}
		if err := replace(filepath.Join(dir, e.Name()), content); err != nil {
			return "", err
		}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(spec); err != nil {
		return "", err
	}
	return dir, replace(filepath.Join(dir, "kernel.json"), text.Bytes())
}

// replace replaces a file atomically.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("kernelspec: cannot write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails once renamed
	_, werr := f.Write(content)
	if err := errors.Join(werr, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("kernelspec: cannot write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// Find reads the installed spec in a data folder. If there is none, the error is fs.ErrNotExist.
func Find(dataDir string) (Spec, error) {
	var spec Spec
	path := filepath.Join(Dir(dataDir), "kernel.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return spec, fmt.Errorf("kernelspec: cannot decode %s: %w", path, err)
	}
	return spec, nil
}

// Uninstall removes the spec from a data folder and reports whether there was
// one.
func Uninstall(dataDir string) (bool, error) {
	dir := Dir(dataDir)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, os.RemoveAll(dir)
}
