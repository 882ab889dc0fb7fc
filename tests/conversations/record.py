#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and a server and writes down what they say: `record.py OUTPUT TITLE COMMAND...`, as the client's server.

Lines go on as they came; OUTPUT gets a scene in the form of README.md. What a recording holds of the machine it was made on (pids,
paths) is the recorder's to look for.
"""
import subprocess
import sys
import threading


def main():
    output, title, *command = sys.argv[1:]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lock = threading.Lock()
    with open(output, "ab") as out:
        out.write(b"\n== " + title.encode() + b"\n")

        def carry(sort, source, sink):
            for line in source:
                with lock:
                    out.write(sort + b" " + line.rstrip(b"\r\n") + b"\n")
                    out.flush()
                    sink.write(line)
                    sink.flush()

        threading.Thread(target=carry, args=(b"S", server.stdout, sys.stdout.buffer), daemon=True).start()
        carry(b"C", sys.stdin.buffer, server.stdin)
        server.stdin.close()
        server.wait()


main()
