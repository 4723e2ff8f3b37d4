"""jupyter console on a terminal: values, input, an error, an interrupt and the end."""

import os
import pty
import re
import select
import signal
import time

from client import KERNEL, WATCHDOG, ClientTest

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()=>][0-9A-Z]?")


class ConsoleTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.environ["TERM"] = "dumb"
            os.execvp("jupyter", ["jupyter", "console", "--kernel", KERNEL, "--simple-prompt"])
        self.addCleanup(self.end)
        self.shown = ""

    def end(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.terminal)

    def type(self, line):
        self.shown = ""
        os.write(self.terminal, line.encode() + b"\n")

    def wait_for(self, pattern):
        """Reads until pattern appears in the text that was shown after the last typed line."""
        deadline = time.monotonic() + WATCHDOG
        while not re.search(pattern, self.shown):
            self.assertLess(time.monotonic(), deadline, f"no {pattern} in\n{self.shown}")
            if select.select([self.terminal], [], [], 1)[0]:
                try:
                    data = os.read(self.terminal, 4096)
                except OSError:
                    data = b""  # the console has ended
                self.assertTrue(data, f"the console ended without {pattern}:\n{self.shown}")
                self.shown += ESCAPES.sub("", data.decode(errors="replace").replace("\r", ""))

    def test_session(self):
        self.wait_for(r"In \[1\]:")
        self.type('fmt.Println("hello"); 6 * 7')
        self.wait_for(r"\nhello\n(?s:.*)Out\[1\]: 42\n(?s:.*)In \[2\]:")
        self.type('var name string; fmt.Print("name? "); fmt.Scanln(&name); name')
        self.wait_for(r"\nname\? $")
        self.type("gopher")
        self.wait_for(r'Out\[2\]: "gopher"\n(?s:.*)In \[3\]:')
        self.type('panic("on purpose")')
        self.wait_for(r"panic: on purpose(?s:.*)In \[4\]:")
        self.type("for {}")
        time.sleep(2)
        os.write(self.terminal, b"\x03")
        self.wait_for(r"(?i:interrupted)(?s:.*)In \[5\]:")
        self.type("strings.ToUpper(name)")
        self.wait_for(r'Out\[5\]: "GOPHER"\n')
