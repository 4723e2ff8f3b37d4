"""The public suite jupyter_kernel_test against the installed kernelspec "perijove".

Start it with ./run. A skipped test makes the run fail, since the suite skips a test if a code sample is missing.
"""

import sys
import time
import unittest

import jupyter_kernel_test as suite
import slow_machine
from slow_machine import WATCHDOG

KERNEL = "perijove"
DISPLAY = 'import "github.com/perijove/perijove/lib/display"\ndisplay.{}'


class PerijoveTests(slow_machine.SlowMachineTests):
    kernel_name = KERNEL
    language_name = "go"
    file_extension = ".go"

    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'fmt.Fprintln(os.Stderr, "to stderr")'

    completion_samples = [
        {"text": "strings.HasPref", "matches": {"HasPrefix"}},
        {"text": "len(os.Ar", "matches": {"Args"}},
        {"text": "no.Such", "matches": set()},
    ]

    complete_code_samples = [
        "",
        "x := 1",
        'fmt.Println("ä😀")',
        "func add(a, b int) int { return a + b }",
        'import "fmt"',
        "for i := range 3 {\n\tfmt.Println(i)\n}",
        "package main\n\nfunc main() {}",
    ]
    incomplete_code_samples = [
        "func add(a, b int) int {",
        "for i := range 3 {",
        "x := []int{1,",
        "s := `raw",
        "/* a comment",
        "import (",
        "x := 1 +",
    ]
    invalid_code_samples = [
        "x := := 1",
        "}",
        "func 3() {}",
        's := "no end\nx := 1',
    ]

    code_generate_error = 'panic("on purpose")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": 'strings.ToUpper("go")', "result": '"GO"'},
        {"code": "half := 0.5; half", "result": "0.5"},
        {"code": "[]int{1, 2, 3}"},
    ]
    code_display_data = [
        {"code": DISPLAY.format('HTML("<b>bold</b>")'), "mime": "text/html"},
        {"code": DISPLAY.format('SVG(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`)'), "mime": "image/svg+xml"},
    ]
    code_clear_output = DISPLAY.format("Clear(false)")

    code_inspect_sample = "strings.HasPrefix"

    code_history_pattern = "6 ? 7*"
    supported_history_operations = ("tail", "range", "search")

    code_page_something = "fmt.Println?"

    def test_input(self):
        """A cell reads a line, for which the kernel asks the front end."""
        self.flush_channels()
        code = 'var name string; fmt.Scanln(&name); fmt.Println("hello,", name)'
        msg_id = self.kc.execute(code, allow_stdin=True)
        request = self.kc.get_stdin_msg(timeout=WATCHDOG)
        # The schema of the suite requires a number for "password", but the protocol requires a bool.
        self.assertEqual(request["msg_type"], "input_request")
        self.assertEqual(request["parent_header"]["msg_id"], msg_id)
        self.assertEqual(request["content"], {"prompt": "", "password": False})
        self.kc.input("gopher")
        reply = self.kc.get_shell_msg(timeout=WATCHDOG)
        suite.validate_message(reply, "execute_reply", msg_id)
        self.assertEqual(reply["content"]["status"], "ok")
        self.assertIn("hello, gopher", self.stdout_until_idle(msg_id))

    def test_queue_after_error(self):
        """Cells in the queue behind a failing cell are aborted.

        The first cell waits for input, for longer than it took to send the other cells, since the kernel
        compares the dates of requests.
        """
        self.flush_channels()
        began = time.monotonic()
        ids = [self.kc.execute('var line string; fmt.Scanln(&line); panic("first")', allow_stdin=True)]
        ids += [self.kc.execute(code) for code in ("1", "2")]
        took = time.monotonic() - began
        self.kc.get_stdin_msg(timeout=WATCHDOG)
        time.sleep(took + 0.01)
        self.kc.input("go on")
        replies = {}
        while len(replies) < len(ids):
            reply = self.kc.get_shell_msg(timeout=WATCHDOG)
            replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual([replies[msg_id] for msg_id in ids], ["error", "aborted", "aborted"])

    def stdout_until_idle(self, msg_id):
        text = ""
        while True:
            msg = self.kc.get_iopub_msg(timeout=WATCHDOG)
            if msg["parent_header"].get("msg_id") != msg_id:
                continue
            if msg["msg_type"] == "stream" and msg["content"]["name"] == "stdout":
                text += msg["content"]["text"]
            if msg["msg_type"] == "status" and msg["content"]["execution_state"] == "idle":
                return text


if hasattr(suite, "IopubWelcomeTests"):  # versions before 0.5 do not have it

    class WelcomeTests(suite.IopubWelcomeTests):
        kernel_name = KERNEL
        support_iopub_welcome = True


def main():
    cases = [value for name, value in sorted(globals().items()) if name.endswith("Tests")]
    loader = unittest.defaultTestLoader
    tests = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    for test, reason in result.skipped:
        print(f"skipped, so not shown to work: {test}: {reason}", file=sys.stderr)
    return 0 if result.wasSuccessful() and not result.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
