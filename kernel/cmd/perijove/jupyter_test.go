package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/perijove/perijove/kernel/internal/kernelspec"
)

// requireJupyter is an environment variable. If it is set, as in CI, tests that need Jupyter
// fail without Jupyter instead of being skipped.
const requireJupyter = "PERIJOVE_REQUIRE_JUPYTER"

// python returns the path of the Python interpreter for which Debian's Jupyter packages are
// installed. It skips the test if the modules cannot be imported.
func python(t *testing.T, modules string) string {
	t.Helper()
	const path = "/usr/bin/python3"
	if err := exec.Command(path, "-c", "import "+modules).Run(); err != nil {
		if os.Getenv(requireJupyter) != "" {
			t.Fatalf("%s cannot import %s, and %s is set: %v", path, modules, requireJupyter, err)
		}
		t.Skipf("no real client to test with: apt-get install python3-jupyter-client python3-jupyter-kernel-test")
	}
	return path
}

// jupyterHome makes a Jupyter data folder with the fake kernel installed.
func jupyterHome(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := kernelspec.New(self, "/usr/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	spec.Argv = []string{self, "{connection_file}"}
	spec.Env[fakeKernel] = "1"
	if _, err := kernelspec.Install(dir, spec); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "JUPYTER_DATA_DIR="+dir, "JUPYTER_RUNTIME_DIR="+filepath.Join(dir, "r"), "HOME="+dir)
}

func runPython(t *testing.T, modules, script string, args ...string) {
	t.Helper()
	interpreter := python(t, modules)
	cmd := exec.Command(interpreter, append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Env = jupyterHome(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	t.Logf("%s", out)
}

func TestRealClientTCP(t *testing.T) { runPython(t, "jupyter_client", "client.py", "tcp") }
func TestRealClientIPC(t *testing.T) { runPython(t, "jupyter_client", "client.py", "ipc") }

func TestPublicSuite(t *testing.T) { runPython(t, "jupyter_kernel_test", "suite.py", "-v") }
