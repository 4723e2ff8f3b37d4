"""papermill -p: the package of kernel/papermill, installed with pip, translates parameters to Go."""

import glob
import os
import subprocess
import sys

from client import WATCHDOG, ClientTest, notebook, text

# Where kernel/e2e/run has put kernel/papermill.
PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "papermill")

PARAMETERS = """workers := []float64{1, 2} // how many to measure
n := 10
ratio := 0.25
name := "none"
verbose := false
var wait time.Duration = 2 * time.Second
levels := map[string]float64{"low": 1}
grid := [][]int{{1}}"""


def setUpModule():
    if glob.glob(os.path.expanduser("~/.local/lib/python3*/site-packages/perijove_papermill.py")):
        return
    pip = [sys.executable, "-m", "pip", "install", "--user", "--break-system-packages", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(pip + [PACKAGE], capture_output=True, text=True, timeout=WATCHDOG)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)


class PapermillTest(ClientTest):
    def papermill(self, *args, fails=False):
        return self.run_program("papermill", "in.ipynb", "out.ipynb", *args, fails=fails)

    def test_parameters(self):
        self.write("in.ipynb", notebook("workers, n, ratio, name, verbose, wait", "levels, grid", parameters=PARAMETERS))
        said = self.papermill(
            "-p", "n", "3", "-p", "ratio", "2", "-p", "verbose", "True", "-r", "name", 'Ä "b"\\\n\x01é',
            "-y", "{workers: [1, 2.5, 4], wait: 1000000, levels: {high: 9}, grid: [[1, 2], [3]]}",
        )  # fmt: skip
        self.assertNotIn("unknown parameter", said)
        cells = self.read("out.ipynb").cells
        self.assertEqual(cells[1].metadata.tags, ["injected-parameters"])
        self.assertIn("workers = append(workers[:0:0], 1, 2.5, 4)\n", cells[1].source)
        self.assertEqual(text(cells[2]).splitlines(), ["[1 2.5 4]", "3", "2", r'"Ä \"b\"\\\n\x01é"', "true", "1ms"])
        self.assertRegex(text(cells[3]), r"(?s)high\W+9.*1 +2.*3")
        self.assertNotIn("low", text(cells[3]))

    def test_unknown_parameter(self):
        self.write("in.ipynb", notebook("n", parameters=PARAMETERS))
        said = self.papermill("-p", "m", "3", fails=True)
        self.assertIn("Passed unknown parameter: m", said)
        injected = [cell for cell in self.read("out.ipynb").cells if "injected-parameters" in cell.metadata.get("tags", [])]
        self.assertIn("undefined: m", text(injected[0]))

    def test_wrong_type(self):
        self.write("in.ipynb", notebook("n", parameters=PARAMETERS))
        self.assertRegex(self.papermill("-p", "n", "half", fails=True), r'cannot use "half" .* as int value in assignment\nn = "half"\n    \^')

    def test_name_that_go_has_not(self):
        self.write("in.ipynb", notebook("n", parameters=PARAMETERS))
        self.assertIn("a Go variable cannot have this name", self.papermill("-p", "range", "3", fails=True))

    def test_help(self):
        self.write("in.ipynb", notebook("n", parameters=PARAMETERS))
        said = self.run_program("papermill", "--help-notebook", "in.ipynb")
        self.assertRegex(said, r"workers: \[\]float64 \(default \[\]float64\{1, 2\}\)\s+how many to measure")
        self.assertIn("wait: time.Duration (default 2 * time.Second)", said)

    def test_engine_and_import(self):
        self.write("in.ipynb", notebook("n", parameters=PARAMETERS))
        self.papermill("--engine", "perijove", "-p", "n", "7")
        self.assertEqual(text(self.read("out.ipynb").cells[2]), "7\n")
        imported = "import perijove_papermill, papermill; print(perijove_papermill.GoTranslator.codify({'x': float('inf'), 'y': None}))"
        self.assertIn("x = math.Inf(1)\ny = nil\n", self.run_program(sys.executable, "-c", imported))
