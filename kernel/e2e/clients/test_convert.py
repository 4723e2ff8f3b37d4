"""nbconvert and jupytext: notebooks of this kernel as other files, and executed by both."""

import os

from client import ClientTest, notebook, text

CELLS = (
    "# Moons",
    'type Moon struct{ Name string; Days float64 }\nmoons := []Moon{{"Io", 1.77}, {"Europa", 3.55}}\nmoons',
    'fmt.Println("<printed>")',
    '%%bash\necho "from a shell"',
)


class NbconvertTest(ClientTest):
    def convert(self, form, *args):
        self.run_program("jupyter", "nbconvert", "--to", form, *args, "in.ipynb")

    def test_execute(self):
        self.write("in.ipynb", notebook(*CELLS))
        self.convert("notebook", "--execute", "--inplace")
        cells = self.read("in.ipynb").cells
        self.assertIn("1  Europa  3.55", text(cells[1]))
        self.assertEqual(text(cells[2]), "<printed>\n")
        self.assertEqual(text(cells[3]), "from a shell\n")

    def test_html(self):
        self.write("in.ipynb", notebook(*CELLS))
        self.convert("notebook", "--execute", "--inplace")
        self.convert("html")
        with open(self.path("in.html")) as file:
            page = file.read()
        self.assertRegex(page, r"<td[^>]*>Europa</td>")
        self.assertIn("&lt;printed&gt;", page)
        self.assertRegex(page, r'<span class="kd">type</span>', "the source is highlighted as Go")

    def test_markdown(self):
        self.write("in.ipynb", notebook(*CELLS))
        self.convert("markdown", "--execute")
        with open(self.path("in.md")) as file:
            page = file.read()
        self.assertIn("```go\ntype Moon struct", page)
        self.assertIn("Europa", page)

    def test_script(self):
        self.write("in.ipynb", notebook(*CELLS[:3]))
        self.convert("notebook", "--execute", "--inplace")
        self.convert("script")
        with open(self.path("in.go")) as file:
            self.assertIn("type Moon struct", file.read())

    def test_failing_cell(self):
        self.write("in.ipynb", notebook("xs := []int{1}; i := 3\nxs[i]"))
        said = self.run_program("jupyter", "nbconvert", "--to", "notebook", "--execute", "in.ipynb", fails=True)
        self.assertIn("index out of range [3] with length 1", said)


class JupytextTest(ClientTest):
    def test_there_and_back(self):
        nb = notebook(*CELLS)
        self.write("in.ipynb", nb)
        self.run_program("jupytext", "--to", "go:percent", "in.ipynb")
        with open(self.path("in.go")) as file:
            script = file.read()
        self.assertRegex(script, r"(?m)^// %%$")
        self.assertRegex(script, r"(?m)^type Moon struct")
        os.remove(self.path("in.ipynb"))
        self.run_program("jupytext", "--to", "notebook", "in.go")
        back = self.read("in.ipynb")
        self.assertEqual([c.source for c in back.cells], [c.source for c in nb.cells])
        self.assertEqual(back.metadata.kernelspec.name, "perijove")

    def test_execute(self):
        self.write("in.ipynb", notebook(*CELLS))
        self.run_program("jupytext", "--to", "md", "in.ipynb")
        self.run_program("jupytext", "--to", "notebook", "--execute", "-o", "out.ipynb", "in.md")
        shown = [text(cell) for cell in self.read("out.ipynb").cells if cell.cell_type == "code"]
        self.assertIn("Europa", shown[0])
        self.assertEqual(shown[1:], ["<printed>\n", "from a shell\n"])
