#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What two signatures and a policy cost a launch, and a bundle of twenty profiles besides: the same profile with and without them, interleaved; the
difference is what counts.

As root, since /etc/stockade is root's. Each way has a mount namespace of its own, with its own /etc/stockade, and both are entered in the
same manner, so that what entering costs is in both. Keys and signatures are minisign's.
"""
import argparse
import contextlib
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from run import ENV_KEPT, approve, drive

GOAL_MS = 0.5
KEYS = ("release", "security")
BUNDLED = 20  # profiles, each as long as a curated one


def put(path, text):
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def profile(etc, probe):
    return put(f"{etc}/profiles/bench-launch.json", json.dumps({"stockade": 1, "name": "bench-launch", "owner": "team@example.com", "command": [probe]}))


def manage(etc, secret, signed):
    """Puts a policy and keys there, and two signatures beside the profile."""
    for name in KEYS:
        subprocess.run(["minisign", "-G", "-W", "-p", f"{secret}/{name}.pub", "-s", f"{secret}/{name}.key"], check=True, stdout=subprocess.DEVNULL)
        with open(f"{secret}/{name}.pub", encoding="ascii") as f:
            put(f"{etc}/keys/{name}.pub", f.read())
    sign(secret, signed)
    put(f"{etc}/policy.json", json.dumps({"stockade": 1, "signatures": {"need": len(KEYS), "of": list(KEYS)}}))


def sign(secret, path):
    for name in KEYS:
        subprocess.run(["minisign", "-S", "-W", "-s", f"{secret}/{name}.key", "-m", path, "-x", f"{path}.{name}.minisig"],
                       check=True, stdout=subprocess.DEVNULL)
        os.chmod(f"{path}.{name}.minisig", 0o644)


def bundle(etc, secret):
    """Puts one there that has been there for a while: of what was changed a moment ago nobody relies on a look."""
    def file(i):
        text = json.dumps({"stockade": 1, "name": f"bundled-{i}", "version": 1, "owner": "team@example.com", "command": ["/usr/bin/true"],
                           "tools": {"allow": [f"tool_{i}_{n}" for n in range(150)]}})
        return {"name": f"bundled-{i}", "text": text, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}
    kill = {"stockade": 1, "server": "bundled-0", "who": "it@example.com", "when": "2026-01-01T00:00:00Z", "why": ""}
    sign(secret, put(f"{etc}/bundle.json", json.dumps({"stockade": 1, "bundle": "bench", "version": 1, "issued": "2026-01-01T00:00:00Z",
                                                       "expires": "2096-01-01T00:00:00Z", "profiles": [file(i) for i in range(BUNDLED)], "kill": [kill]})))
    time.sleep(1)
    return os.stat(f"{etc}/bundle.json").st_size


@contextlib.contextmanager
def namespace(etc):
    """A process that holds a mount namespace in which etc is /etc/stockade."""
    script = 'mount --bind "$0" /etc/stockade && echo there && read end'
    with subprocess.Popen(["unshare", "-m", "sh", "-c", script, etc], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        if p.stdout.readline() != "there\n":
            sys.exit("bench: no mount namespace with an /etc/stockade of its own")
        yield ["nsenter", f"--mount=/proc/{p.pid}/ns/mnt", f"--wd={os.getcwd()}", "--"]
        p.stdin.close()


class Inside:
    """stockade in a namespace, for approve(), which starts one program."""

    def __init__(self, base, name, enter, stockade):
        self.path = f"{base}/{name}"
        put(self.path, "#!/bin/sh\nexec " + " ".join([*enter, stockade]) + ' "$@"\n')
        os.chmod(self.path, 0o755)


def cpu(runs, variants, env):
    """Median milliseconds of processor time of each, with all that it waited for: on a machine that is busy the clock on the wall says little."""
    times = [[] for _ in variants]
    for _ in range(runs):
        for argv, found in zip(variants, times):
            with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
                usage = os.wait4(p.pid, 0)[2]
                p.returncode = 0
            found.append((usage.ru_utime + usage.ru_stime) * 1e3)
    return [statistics.median(t) for t in times]


def measure(options, base, env):
    probe, stockade = os.path.join(options.tools, "probe"), os.path.join(options.prefix, "bin/stockade")
    plain, managed, bundled = (f"{base}/{name}" for name in ("plain", "managed", "bundled"))
    profile(plain, probe)
    os.mkdir(f"{base}/secret", 0o700)
    manage(managed, f"{base}/secret", profile(managed, probe))
    shutil.copytree(managed, bundled)
    size = bundle(bundled, f"{base}/secret")
    with namespace(plain) as a, namespace(managed) as b, namespace(bundled) as c:
        variants = []
        for name, enter in (("a", a), ("b", b), ("c", c)):
            approve(Inside(base, name, enter, stockade).path, ["bench-launch"], env)
            variants.append([*enter, stockade, "run", "bench-launch"])
        without, with_both, with_bundle = drive(options.tools, "first", options.runs, variants, env)
        more = (with_both - without) / 1e6
        print(f"launch with two signatures and a policy {with_both / 1e6:.3f} ms, without {without / 1e6:.3f} ms: {more:+.3f} ms, ratio "
              f"{with_both / without:.3f}   goal <= +{GOAL_MS} ms   {'met' if more <= GOAL_MS else 'MISSED'}", flush=True)
        more = (with_bundle - with_both) / 1e6
        print(f"launch with a bundle of {size / 1024:.0f} KiB besides     {with_bundle / 1e6:.3f} ms, without {with_both / 1e6:.3f} ms: {more:+.3f} ms, ratio "
              f"{with_bundle / with_both:.3f}", flush=True)
        without, with_both, with_bundle = cpu(options.runs, variants, env)
    print(f"processor time of it, to its end         {with_both:.3f} ms, without {without:.3f} ms: {with_both - without:+.3f} ms")
    print(f"with the bundle                          {with_bundle:.3f} ms, without {with_both:.3f} ms: {with_bundle - with_both:+.3f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    stage = os.environ.get("STOCKADE_STAGE", "")
    parser.add_argument("--prefix", default=os.path.join(stage, "prefix"))
    parser.add_argument("--tools", default=os.path.join(stage, "build/bench"), help="directory of drive and probe")
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench: this one needs root, for an /etc/stockade of its own")
    base, made = tempfile.mkdtemp(prefix="stockade-managed-"), not os.path.isdir("/etc/stockade")
    os.chmod(base, 0o755)
    os.mkdir(f"{base}/home", 0o700)
    env = {k: v for k, v in os.environ.items() if k in ENV_KEPT}
    env.update(HOME=f"{base}/home", XDG_STATE_HOME=f"{base}/home/state", XDG_CONFIG_HOME=f"{base}/home/config")
    if made:
        os.mkdir("/etc/stockade", 0o755)
    try:
        measure(options, base, env)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        if made:
            os.rmdir("/etc/stockade")


if __name__ == "__main__":
    main()
