"""The public suite jupyter_kernel_test against the scripted kernel."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "e2e" / "kernel_test_suite"))
import slow_machine  # noqa: E402


class FakeKernelTests(slow_machine.SlowMachineTests):
    kernel_name = "perijove"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = "print hello, world"
    code_stderr = "eprint oops"
    completion_samples = [{"text": "pr", "matches": {"print"}}, {"text": "zz", "matches": set()}]
    complete_code_samples = ["print x"]
    incomplete_code_samples = ["f("]
    invalid_code_samples = ["f)("]
    code_page_something = "page a text for the pager"
    code_generate_error = "error Oops on purpose"
    code_execute_result = [{"code": "result 6", "result": "6"}, {"code": "result seven", "result": "seven"}]
    code_display_data = [{"code": "display text/html <b>x</b>", "mime": "text/html"}]
    code_history_pattern = "result ?"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "print"
    code_clear_output = "clear"


if __name__ == "__main__":
    unittest.main()
