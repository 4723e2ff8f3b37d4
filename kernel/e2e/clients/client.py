"""Functions that the tests of clients share: they make notebooks, and run programs as a user does."""

import os
import subprocess
import tempfile
import unittest

import nbformat

WATCHDOG = 300  # seconds; a test that takes longer hangs
KERNEL = "perijove"


def notebook(*sources, **tagged):
    """Returns a notebook of code cells. The keyword of a source in tagged becomes the tag of its cell. A source that starts with # becomes a Markdown cell."""
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}) for tag, source in tagged.items()]
    for source in sources:
        new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        cells.append(new(source))
    kernelspec = {"name": KERNEL, "language": "go", "display_name": "Go (Perijove)"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec})


def text(cell):
    """Returns all outputs of a cell as text."""
    shown = ""
    for output in cell.outputs:
        if output.output_type == "stream":
            shown += output.text
        elif output.output_type == "error":
            shown += f"{output.ename}: {output.evalue}\n"
        else:
            shown += output.data["text/plain"] + "\n"
    return shown


class ClientTest(unittest.TestCase):
    """A test that runs in an empty folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, nb):
        nbformat.write(nb, self.path(name))

    def read(self, name):
        return nbformat.read(self.path(name), as_version=4)

    def run_program(self, *args, fails=False):
        """Runs a program in the folder, and returns its output."""
        done = subprocess.run(
            args, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WATCHDOG
        )
        self.assertEqual(done.returncode != 0, fails, f"{args} exits with {done.returncode}:\n{done.stdout}")
        return done.stdout
