"""The public suite jupyter_kernel_test, for machines that are slow or stand still for a while.

By itself it waits a tenth of a second for a message, and takes what comes later for the answer to
its next request.
"""

import inspect

import jupyter_kernel_test as suite

WATCHDOG = 120  # seconds; only against a hang
suite.TIMEOUT = WATCHDOG


class PatientTests(suite.KernelTests):
    def flush_channels(self):
        """Reads what earlier requests have left, up to the end of one more."""
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
        """The suite's own, whose waits for iopub are made longer."""
        channel = self.kc.iopub_channel
        hurried = channel.get_msg

        def patient(timeout=None):
            return hurried(timeout=WATCHDOG)

        async def patient_async(timeout=None):
            return await hurried(timeout=WATCHDOG)

        # Which of them it must be depends on jupyter_client's version.
        channel.get_msg = patient_async if inspect.iscoroutinefunction(hurried) else patient
        try:
            return super().execute_helper(*args, timeout=WATCHDOG, **kwargs)
        finally:
            del channel.get_msg  # there is the class's own again
