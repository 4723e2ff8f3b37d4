"""Drives the scripted kernel with jupyter_client, over the transport given."""
import os
import signal
import sys
import time

from jupyter_client import KernelManager

TIMEOUT = 120  # seconds; only against a hang


def reply_to(kc, msg_id, channel="shell"):
    get = kc.get_shell_msg if channel == "shell" else kc.get_control_msg
    while True:
        msg = get(timeout=TIMEOUT)
        if msg["parent_header"].get("msg_id") == msg_id:
            return msg["content"]


def outputs_of(kc, msg_id):
    found = []
    while True:
        msg = kc.get_iopub_msg(timeout=TIMEOUT)
        if msg["parent_header"].get("msg_id") != msg_id:
            continue
        kind, content = msg["msg_type"], msg["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return found
        found.append((kind, content))


def text_of(outputs, name="stdout"):
    return "".join(c["text"] for kind, c in outputs if kind == "stream" and c["name"] == name)


def run(kc, code, **options):
    msg_id = kc.execute(code, **options)
    return reply_to(kc, msg_id), outputs_of(kc, msg_id)


def control(kc, msg_type, content=None):
    msg = kc.session.msg(msg_type, content or {})
    kc.control_channel.send(msg)
    return reply_to(kc, msg["header"]["msg_id"], "control")


def wait_for_output(kc, text):
    while True:
        msg = kc.get_iopub_msg(timeout=TIMEOUT)
        if text in str(msg["content"]):
            return


def check_cells(kc):
    reply, out = run(kc, "print hello\ndisplay text/html <b>x</b>\neprint err\nresult 42")
    assert reply["status"] == "ok", reply
    kinds = [kind for kind, _ in out]
    want = ["status", "execute_input", "stream", "display_data", "stream", "execute_result"]
    assert kinds == want, kinds
    reply, out = run(kc, "error Oops bad")
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "Oops", "bad"), reply
    assert out[-1][0] == "error" and out[-1][1]["traceback"], out


def check_abort(kc):
    """Cells that were sent before an earlier one failed are aborted. The first waits for input, for
    longer than it took to send the others: the kernel compares the dates of requests."""
    began = time.monotonic()
    first = kc.execute("input go on? \nerror Oops stop", allow_stdin=True)
    others = [kc.execute("print never") for _ in range(20)]
    took = time.monotonic() - began
    kc.get_stdin_msg(timeout=TIMEOUT)
    time.sleep(took + 0.01)
    kc.input("")
    assert reply_to(kc, first)["status"] == "error"
    for msg_id in others:
        assert reply_to(kc, msg_id)["status"] == "aborted"
    outputs_of(kc, others[-1])
    reply, out = run(kc, "print again")
    assert reply["status"] == "ok" and text_of(out) == "again\n", (reply, out)


def check_stdin(kc):
    msg_id = kc.execute("input your name? ", allow_stdin=True)
    ask = kc.get_stdin_msg(timeout=TIMEOUT)
    assert ask["content"] == {"prompt": "your name? ", "password": False}, ask
    kc.input("Ada")
    assert reply_to(kc, msg_id)["status"] == "ok"
    assert text_of(outputs_of(kc, msg_id)) == "Ada\n"


def check_control(km, kc):
    msg_id = kc.execute("print begins\nhold")
    wait_for_output(kc, "begins")
    began = time.monotonic()
    assert control(kc, "kernel_info_request")["implementation"] == "perijove"
    complete = kc.complete("pr")
    assert reply_to(kc, complete)["matches"] == ["print"]
    print("kernel_info and complete beside a running cell: %.1f ms" % (1e3 * (time.monotonic() - began)))
    km.interrupt_kernel()
    assert reply_to(kc, msg_id)["ename"] == "Interrupted"
    outputs_of(kc, msg_id)


def check_flood(kc, size):
    began = time.monotonic()
    _, out = run(kc, "flood %d" % size)
    text = text_of(out)
    assert len(text) == size, len(text)
    assert all(text[64 * i : 64 * i + 63] == "%063d" % i for i in range(0, size // 64, 997))
    print("%d MB of output in %.1f s" % (size >> 20, time.monotonic() - began))


def check_signals(km, kc):
    os.kill(km.provisioner.pid, signal.SIGINT)  # idle: must not end the kernel
    time.sleep(0.3)
    reply, out = run(kc, "print alive")
    assert text_of(out) == "alive\n", (reply, out)


def main(transport):
    km = KernelManager(kernel_name="perijove", transport=transport)
    km.start_kernel()
    kc = km.client()
    kc.start_channels()
    try:
        kc.wait_for_ready(timeout=TIMEOUT)
        assert kc.is_alive()
        check_cells(kc)
        check_abort(kc)
        check_stdin(kc)
        check_control(km, kc)
        check_flood(kc, 32 << 20)
        check_signals(km, kc)
        began = time.monotonic()
        km.restart_kernel()
        kc.wait_for_ready(timeout=TIMEOUT)
        reply, _ = run(kc, "print first")
        assert reply["execution_count"] == 1, reply
        print("restart: %.2f s" % (time.monotonic() - began))
        assert kc.hb_channel.is_beating()
        pid = km.provisioner.pid
        began = time.monotonic()
        km.shutdown_kernel()
        print("shutdown: %.2f s" % (time.monotonic() - began))
        assert not os.path.exists("/proc/%d" % pid)
    finally:
        kc.stop_channels()
        if km.is_alive():
            km.shutdown_kernel(now=True)


main(sys.argv[1])
