#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""with_page PORT DIRECTORY COMMAND...: serves the directory on loopback for as long as the command runs."""
import functools
import http.server
import subprocess
import sys
import threading


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


port, directory, *command = sys.argv[1:]
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), functools.partial(Quiet, directory=directory))
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(subprocess.call(command))
