package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/kernelspec"
)

// localEnvironment is the machine that doctor runs on.
type localEnvironment struct{}

func newEnvironment() environment { return localEnvironment{} }

func (localEnvironment) platform() string           { return runtime.GOOS + "/" + runtime.GOARCH }
func (localEnvironment) goCommand() (string, error) { return findGo() }

func (localEnvironment) goVersion(ctx context.Context, goCommand string) (string, error) {
	return goVersion(ctx, goCommand)
}

func (localEnvironment) kernelspec() (kernelspec.Spec, error) {
	data, err := kernelspec.DataDir(os.Getenv)
	if err != nil {
		return kernelspec.Spec{}, err
	}
	return kernelspec.Find(data)
}

func (localEnvironment) isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func (localEnvironment) program() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return resolve(path)
}

func (localEnvironment) jupyter() (string, bool) {
	for _, name := range []string{"jupyter-lab", "jupyter-notebook", "jupyter"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// widgets looks for the extension in the same folders as JupyterLab.
func (m localEnvironment) widgets() (version string, ok bool) {
	for _, dir := range m.jupyterDataDirs() {
		text, err := os.ReadFile(filepath.Join(dir, "labextensions", "@jupyter-widgets", "jupyterlab-manager", "package.json"))
		if err != nil {
			continue
		}
		var extension struct{ Version string }
		if json.Unmarshal(text, &extension) == nil {
			return extension.Version, true
		}
	}
	return "", false
}

// jupyterDataDirs returns Jupyter's data folders: the folders in JUPYTER_PATH, the folder of the
// user, the folder of the Python environment with the jupyter command, and the folders of the
// system.
func (m localEnvironment) jupyterDataDirs() []string {
	dirs := filepath.SplitList(os.Getenv("JUPYTER_PATH"))
	if data, err := kernelspec.DataDir(os.Getenv); err == nil {
		dirs = append(dirs, data)
	}
	if command, ok := m.jupyter(); ok {
		for _, path := range []string{command, resolve(command)} {
			dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(path)), "share", "jupyter"))
		}
	}
	return append(dirs, "/usr/local/share/jupyter", "/usr/share/jupyter")
}

// resolve returns a path without symbolic links, which pipx makes, for example.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func (localEnvironment) writableCache() (string, error) {
	dir, err := image.CacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return "", err
	}
	return dir, errors.Join(f.Close(), os.Remove(f.Name()))
}

// memory returns the memory that is available without swapping, in bytes.
func (localEnvironment) memory() (uint64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && fields[0] == "MemAvailable:" {
			kb, err := strconv.ParseUint(fields[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, cmp.Or(lines.Err(), errors.New("cannot find the free memory of this machine: /proc/meminfo has no line MemAvailable"))
}
