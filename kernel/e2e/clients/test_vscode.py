"""The requests of VS Code's Jupyter extension, which starts the kernel itself and connects to its sockets.

The extension sends kernel_info_request on two channels, executes helper code silently without history, interrupts
by a message, and shuts down on the control channel. Its headers have fields that the protocol does not know.
"""

import json
import os
import secrets
import socket
import subprocess
import uuid
from datetime import datetime, timezone

import zmq
from client import WATCHDOG, ClientTest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.session import Session

CHANNELS = {"shell": zmq.DEALER, "control": zmq.DEALER, "stdin": zmq.DEALER, "iopub": zmq.SUB}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class VSCodeTest(ClientTest):
    def setUp(self):
        super().setUp()
        key = secrets.token_hex(16)
        connection = {"ip": "127.0.0.1", "transport": "tcp", "key": key, "signature_scheme": "hmac-sha256", "kernel_name": "perijove"}
        connection |= {f"{channel}_port": free_port() for channel in ("shell", "control", "stdin", "iopub", "hb")}
        with open(self.path("connection.json"), "w") as file:
            json.dump(connection, file)
        spec = KernelSpecManager().get_kernel_spec("perijove")
        self.assertEqual(spec.interrupt_mode, "message")
        argv = [self.path("connection.json") if arg == "{connection_file}" else arg for arg in spec.argv]
        self.kernel = subprocess.Popen(argv, cwd=self.folder, env=os.environ | spec.env)
        self.addCleanup(self.kernel.wait)
        self.addCleanup(self.kernel.kill)
        self.session = Session(key=key.encode(), session=str(uuid.uuid4()), username="vscode")
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        self.sockets = {}
        for channel, kind in CHANNELS.items():
            self.sockets[channel] = context.socket(kind)
            self.sockets[channel].identity = self.session.bsession
            if kind == zmq.SUB:
                self.sockets[channel].subscribe(b"")
            self.sockets[channel].connect(f"tcp://127.0.0.1:{connection[channel + '_port']}")

    def receive(self, channel):
        self.assertTrue(self.sockets[channel].poll(WATCHDOG * 1000), f"nothing arrives on {channel}")
        return self.session.recv(self.sockets[channel], mode=0)[1]

    def send(self, channel, msg_type, content, metadata=None):
        date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"  # the form in which JavaScript writes dates
        header = {"msg_id": str(uuid.uuid4()), "msg_type": msg_type, "session": self.session.session, "username": "", "version": "5.2", "date": date}
        header |= {"subshell_id": None, "channel": channel}
        msg = {"header": header, "parent_header": {}, "metadata": metadata or {}, "content": content}
        self.session.send(self.sockets[channel], msg, header=header, metadata=metadata or {})
        return header["msg_id"]

    def reply(self, channel, msg_id):
        while True:
            msg = self.receive(channel)
            if msg["parent_header"]["msg_id"] == msg_id:
                return msg

    def request(self, channel, msg_type, content):
        """Sends a request, and returns its reply and the messages published for it before the idle status."""
        msg_id = self.send(channel, msg_type, content)
        reply = self.reply(channel, msg_id)
        self.assertEqual(reply["msg_type"], msg_type.replace("_request", "_reply"))
        return reply["content"], self.published(msg_id)

    def published(self, msg_id):
        found = []
        while True:
            msg = self.receive("iopub")
            if msg["parent_header"].get("msg_id") != msg_id:
                continue
            if msg["msg_type"] == "status" and msg["content"]["execution_state"] == "idle":
                return found
            if msg["msg_type"] != "status":
                found.append((msg["msg_type"], msg["content"]))

    def execute(self, code, **options):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True, "stop_on_error": True}
        return self.request("shell", "execute_request", content | options)

    def test_session(self):
        for channel in ("shell", "control"):
            info, _ = self.request(channel, "kernel_info_request", {})
            self.assertEqual((info["status"], info["language_info"]["name"], info["language_info"]["file_extension"]), ("ok", "go", ".go"))
        reply, out = self.execute("x := 6; x * 7")
        self.assertEqual((reply["status"], reply["execution_count"]), ("ok", 1))
        self.assertEqual([kind for kind, _ in out], ["execute_input", "execute_result"])
        self.assertEqual(out[1][1]["data"]["text/plain"], "42")

        reply, out = self.execute("x = 7", silent=True, store_history=False)
        self.assertEqual((reply["status"], out), ("ok", []), "a silent cell publishes nothing")
        reply, out = self.execute("x", store_history=False)
        self.assertEqual([content["data"]["text/plain"] for kind, content in out if kind == "execute_result"], ["7"])
        reply, _ = self.execute("x")
        self.assertEqual(reply["execution_count"], 2, "cells without history do not count")

        reply, _ = self.request("shell", "complete_request", {"code": "strings.HasPre", "cursor_pos": 14})
        self.assertIn("HasPrefix", [match[-len("HasPrefix"):] for match in reply["matches"]])
        self.assertEqual(reply["cursor_end"], 14)
        reply, _ = self.request("shell", "inspect_request", {"code": "x", "cursor_pos": 1, "detail_level": 0})
        self.assertTrue(reply["found"] and "int" in reply["data"]["text/plain"], reply)
        reply, _ = self.request("shell", "comm_info_request", {"target_name": "jupyter.widget"})
        self.assertEqual((reply["status"], reply["comms"]), ("ok", {}))
        debug = {"type": "request", "seq": 1, "command": "debugInfo"}
        reply, _ = self.request("control", "debug_request", debug)
        self.assertEqual(reply["status"], "error", "there is no debugger, and the answer says so")

    def test_input_interrupt_shutdown(self):
        asks = self.send("shell", "execute_request", {"code": 'var s string; fmt.Scanln(&s); s', "silent": False, "allow_stdin": True})
        asked = self.receive("stdin")
        self.assertEqual(asked["msg_type"], "input_request")
        reply = self.session.msg("input_reply", {"value": "typed", "status": "ok"}, parent=asked)
        self.session.send(self.sockets["stdin"], reply)
        self.assertEqual(self.reply("shell", asks)["content"]["status"], "ok")

        loop = self.send("shell", "execute_request", {"code": 'fmt.Println("begun")\nfor {\n}', "silent": False, "allow_stdin": True})
        while True:
            msg = self.receive("iopub")
            if msg["msg_type"] == "stream" and msg["content"]["text"] == "begun\n":
                break
        interrupted = self.send("control", "interrupt_request", {})
        self.assertEqual(self.reply("control", interrupted)["content"], {"status": "ok"})
        failed = self.reply("shell", loop)["content"]
        self.assertEqual((failed["status"], failed["ename"]), ("error", "Interrupted"))
        self.assertEqual(self.execute("s")[0]["status"], "ok", "variables are kept")

        reply, _ = self.request("control", "shutdown_request", {"restart": False})
        self.assertEqual((reply["status"], reply["restart"]), ("ok", False))
        self.assertEqual(self.kernel.wait(WATCHDOG), 0)
