package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/kernelspec"
)

// recommendedMemory, in bytes, is enough for the worker process with the standard library and a
// compiler.
const recommendedMemory = 1 << 30

// An environment is the part of the machine that doctor checks.
type environment interface {
	goCommand() (string, error)
	goVersion(ctx context.Context, goCommand string) (string, error)
	kernelspec() (kernelspec.Spec, error)
	isExecutable(path string) bool
	program() string
	jupyter() (string, bool)            // path of the jupyter command
	widgets() (version string, ok bool) // version of JupyterLab's extension for ipywidgets
	writableCache() (string, error)
	memory() (available uint64, err error)
	platform() string
}

// A checkResult is one line of doctor's output.
type checkResult struct {
	name   string
	text   string
	remedy string // advice; empty if the check succeeds
	fatal  bool   // the kernel does not work without it
}

// runChecks prints all results and reports whether the kernel can run.
func runChecks(ctx context.Context, m environment, w io.Writer) bool {
	well := true
	for _, f := range runAllChecks(ctx, m) {
		mark := "ok  "
		switch {
		case f.remedy != "" && f.fatal:
			mark, well = "FAIL", false
		case f.remedy != "":
			mark = "note"
		}
		fmt.Fprintf(w, "%s  %-10s %s\n", mark, f.name, f.text)
		if f.remedy != "" {
			fmt.Fprintf(w, "      %-10s -> %s\n", "", f.remedy)
		}
	}
	return well
}

func runAllChecks(ctx context.Context, m environment) []checkResult {
	return []checkResult{
		checkPlatform(m),
		checkGo(ctx, m),
		checkKernelspec(m),
		checkJupyter(m),
		checkWidgets(m),
		checkCache(m),
		checkMemory(m),
	}
}

func checkPlatform(m environment) checkResult {
	f := checkResult{name: "platform", text: m.platform(), fatal: true}
	if m.platform() != "linux/amd64" {
		f.remedy = "Perijove runs only on linux/amd64"
	}
	return f
}

func checkGo(ctx context.Context, m environment) checkResult {
	f := checkResult{name: "go", fatal: true}
	path, err := m.goCommand()
	if err != nil {
		f.text, f.remedy = "not found", err.Error()
		return f
	}
	version, err := m.goVersion(ctx, path)
	if err != nil {
		f.text, f.remedy = path+" cannot be used", err.Error()
		return f
	}
	f.text = fmt.Sprintf("%s, version %s", path, version)
	f.remedy, f.fatal = image.Verdict("go" + version)
	return f
}

func checkKernelspec(m environment) checkResult {
	const again = `run "perijove install"`
	f := checkResult{name: "kernelspec", fatal: true}
	spec, err := m.kernelspec()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.text, f.remedy = "not installed", again
	case err != nil:
		f.text, f.remedy = err.Error(), again
	case len(spec.Argv) == 0 || !m.isExecutable(spec.Argv[0]):
		f.text, f.remedy = fmt.Sprintf("the kernelspec names a program that does not exist: %q", spec.Argv), again
	case !m.isExecutable(spec.Env["PERIJOVE_GO"]):
		f.text, f.remedy = fmt.Sprintf("the kernelspec names a go command that does not exist: %q", spec.Env["PERIJOVE_GO"]), again
	case spec.Argv[0] != m.program():
		f.text, f.remedy, f.fatal = "the kernelspec starts another perijove: "+spec.Argv[0], again+" to use this one", false
	default:
		f.text = "installed; it starts " + spec.Argv[0]
	}
	return f
}

func checkJupyter(m environment) checkResult {
	path, ok := m.jupyter()
	if !ok {
		return checkResult{
			name:   "jupyter",
			text:   "not found; \"perijove run\" works without it",
			remedy: "apt-get install jupyterlab (Debian 13 on), or pip install jupyterlab",
		}
	}
	return checkResult{name: "jupyter", text: path}
}

// minWidgets is the lowest major version of the extension that supports the protocol of ipywidgets 8.
const minWidgets = 5

func checkWidgets(m environment) checkResult {
	const remedy = "pip install jupyterlab_widgets into the Python of JupyterLab, or apt-get install python3-jupyterlab-widgets"
	f := checkResult{name: "widgets"}
	version, ok := m.widgets()
	major, _, _ := strings.Cut(version, ".")
	number, err := strconv.Atoi(major)
	switch {
	case !ok:
		f.text, f.remedy = "JupyterLab's extension for ipywidgets was not found: controls show as text", remedy
	case err != nil || number < minWidgets:
		f.text, f.remedy = fmt.Sprintf("the extension has version %s; ipywidgets 8 needs version %d or newer", version, minWidgets), remedy
	default:
		f.text = "jupyterlab-manager " + version
	}
	return f
}

func checkCache(m environment) checkResult {
	f := checkResult{name: "cache", fatal: true}
	dir, err := m.writableCache()
	if err != nil {
		f.text, f.remedy = err.Error(), "make the folder writable, or set PERIJOVE_CACHE to one that is"
		return f
	}
	f.text = dir + " is writable"
	return f
}

func checkMemory(m environment) checkResult {
	f := checkResult{name: "memory"}
	n, err := m.memory()
	if err != nil {
		f.text = "unknown: " + err.Error()
		return f
	}
	f.text = fmt.Sprintf("%d MB available", n>>20)
	if n < recommendedMemory {
		f.remedy = fmt.Sprintf("cells are compiled and run in this memory; close other programs, or make %d MB available", recommendedMemory>>20)
	}
	return f
}
