# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: runs a program under a pseudo-terminal of its own and types."""
import os
import pty
import select
import time

from integration.harness import PATIENCE


class Terminal:
    def __init__(self, argv, env, cwd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execve(argv[0], argv, {**env, "TERM": "xterm", "NO_COLOR": "1"})
            finally:
                os._exit(127)
        self.text = ""

    def read_until(self, words, timeout=PATIENCE):
        end = time.monotonic() + timeout
        while words not in self.text:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"never saw {words!r} in:\n{self.text}")
            if not self._read(left):
                raise AssertionError(f"ended without {words!r}:\n{self.text}")
        return self.text

    def _read(self, timeout):
        if select.select([self.fd], [], [], timeout)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.text += data.decode("utf-8", "replace")
            return bool(data)
        return True

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, timeout=PATIENCE):
        """The exit status, everything it printed read."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self._read(0.2):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status
