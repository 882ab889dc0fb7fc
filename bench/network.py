# SPDX-License-Identifier: Apache-2.0
"""The figures of egress: a server that reaches the host's loopback through gateway and dial, against one that does so directly."""
import contextlib
import os
import re
import statistics
import subprocess

ROUNDS = 9
# mode, how many: connections, or MiB
FIRST, MANY, UP, DOWN = ("first", 400), ("many", 2000), ("up", 1024), ("down", 1024)


@contextlib.contextmanager
def listening(net, *words):
    """The port of the host's end, or of a relay to it."""
    with subprocess.Popen([net, *words], stdout=subprocess.PIPE, text=True) as p:
        try:
            yield p.stdout.readline().strip()
        finally:
            p.kill()


def once(command, env):
    """Nanoseconds that one run of `net` says on its stderr, which stockade hands on with a prefix."""
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)
    said = re.search(r"^(?:\[net\] )?(\d+) ns$", done.stderr, re.M)
    if done.returncode or not said:
        raise SystemExit(f"bench: {command}: {done.returncode}: {done.stderr}")
    return int(said[1])


def medians(variants, env):
    """Of each variant, in turn, so that a machine that slows down slows all of them."""
    times = [[] for _ in variants]
    for _ in range(ROUNDS):
        for took, command in zip(times, variants):
            took.append(once(command, env))
    return [statistics.median(t) for t in times]


def measure(stockade, tools, env, approve, row):
    """Prints a row for each figure."""
    net = os.path.join(tools, "net")
    with listening(net, "serve") as port, listening(net, "relay", port) as copying, listening(net, "splice", port) as splicing:
        for (mode, n), words, goal, unit, suffix in (
                (FIRST, "connect to the first byte, against direct", None, 1e3, "us"),
                (MANY, "one of many connections, 16 at once, against direct", None, 1e3, "us"),
                (UP, f"{UP[1]} MiB to the host, against direct", 1 / 0.8, 1e6, "ms"),
                (DOWN, f"{DOWN[1]} MiB from the host, against direct", 1 / 0.8, 1e6, "ms")):
            client = [net, mode, port, str(n)]
            grants = ["--host", f"localhost:{port}", "--", *client]
            approve(stockade, grants, env)
            ours, direct, copied, spliced = medians([[stockade, "run", *grants], client, [net, mode, copying, str(n)], [net, mode, splicing, str(n)]], env)
            row(words, ours, direct, goal, unit, suffix)
            print(f"{'  (through a bare relay: by copying, by splice(2))':58s} {copied / unit:9.3f} {spliced / unit:9.3f} {suffix}", flush=True)
            if mode == "many":
                print(f"{'  (connections a second, and direct)':58s} {1e9 / ours:9.0f}     and     {1e9 / direct:9.0f}", flush=True)
