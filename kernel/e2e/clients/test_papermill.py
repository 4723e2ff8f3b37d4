"""papermill -p: the package of kernel/papermill, installed with pip, translates parameters to Go."""

import glob
import os
import subprocess
import sys

from client import WATCHDOG, ClientTest, notebook, text

# The folder to which kernel/e2e/run has copied kernel/papermill.
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

    def test_nil_defaults(self):
        cell = "var levels map[string][]int\nvar list []int\nvar any1, any2 any\nshared := map[int]bool{1: true}\nalias := shared\nvar sizes map[string]big.Word"
        self.write("in.ipynb", notebook("levels, list, any1, any2, shared, alias, sizes", parameters=cell))
        self.papermill("-y", "{levels: {a: [1, 2]}, list: [3], any1: {b: 1}, any2: [x], shared: {2: true}, sizes: {c: 7}}")
        shown = text(self.read("out.ipynb").cells[2])
        for value in (r"a\W+\[1 2\]", r"\[3\]", r"b\W+1", r"x", r"c\W+7", r"2\W+true", r"1\W+true"):
            self.assertRegex(shown, value)

    def test_types_that_cannot_be_set(self):
        cell = "type P struct{ A int }\nvar p P\nq := &p\nvar a [2]int\nvar m map[string]int\nvar s []int\nn, f := 1, func() {}\nvar c chan int"
        self.write("in.ipynb", notebook("p", parameters=cell))
        for value, said in (
            ("p: {A: 1}", "its type P cannot be set to a map; declare its fields as parameters instead"),
            ("p: 1", "its type P cannot be set to the value 1; declare its fields"),
            ("q: {A: 1}", r"its type \*P cannot be set to a map; declare a variable that is no pointer instead"),
            ("a: [1, 2]", r"its type \[2\]int cannot be set to a list; declare a slice instead"),
            ("m: [1]", r"its type map\[string\]int cannot be set to a list; give a map"),
            ("s: {a: 1}", r"its type \[\]int cannot be set to a map; give a list"),
            ("n: null", "its type int cannot be set to null; give a single value"),
            ("n: [1]", "its type int cannot be set to a list; give a single value"),
            ("f: x", r"its type func\(\) cannot be set to the value 'x'; declare a text or number"),
            ("c: 1", "its type chan int cannot be set to the value 1; create the channel in another cell"),
        ):
            with self.subTest(value):
                self.assertRegex(self.papermill("-y", "{" + value + "}", fails=True), f"parameter {value[0]}: {said}")
        self.papermill("-y", "{q: null, m: null, s: null, f: null, c: null}")

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
