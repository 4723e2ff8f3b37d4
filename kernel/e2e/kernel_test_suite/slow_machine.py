"""The public suite jupyter_kernel_test with longer timeouts, for slow machines.

Without this module, the suite waits a tenth of a second for a message, and mistakes a message that arrives later for the
reply to its next request.
"""

import inspect

import jupyter_kernel_test as suite

WATCHDOG = 120  # seconds; a test that takes longer hangs
suite.TIMEOUT = WATCHDOG


class SlowMachineTests(suite.KernelTests):
    def flush_channels(self):
        """Sends a request and reads all messages up to its end, so that messages of earlier requests are read, too."""
        msg_id = self.kc.kernel_info()
        self.read_until(self.kc.get_shell_msg, lambda msg: msg["parent_header"].get("msg_id") == msg_id)
        self.read_until(
            self.kc.get_iopub_msg,
            lambda msg: msg["parent_header"].get("msg_id") == msg_id and msg["content"].get("execution_state") == "idle",
        )

    def read_until(self, get, is_last):
        msg = get(timeout=WATCHDOG)
        while not is_last(msg):
            suite.validate_message(msg)
            msg = get(timeout=WATCHDOG)

    def execute_helper(self, *args, **kwargs):
        """The suite's execute_helper with a longer timeout on iopub."""
        channel = self.kc.iopub_channel
        original = channel.get_msg

        def get_msg(timeout=None):
            return original(timeout=WATCHDOG)

        async def get_msg_async(timeout=None):
            return await original(timeout=WATCHDOG)

        # get_msg is a coroutine in some versions of jupyter_client.
        channel.get_msg = get_msg_async if inspect.iscoroutinefunction(original) else get_msg
        try:
            return super().execute_helper(*args, timeout=WATCHDOG, **kwargs)
        finally:
            del channel.get_msg  # so that the method of the class is used again
