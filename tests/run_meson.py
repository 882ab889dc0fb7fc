#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test programs of a build directory and counts their cases.

`meson test` counts programs; a person wants to know how many cases passed. cmocka speaks TAP when asked, so each
"ok" and "not ok" counts; a program without TAP counts as one case. Needs no write access to the build directory.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

CASE = re.compile(r"^\s*(not )?ok\b(?:\s+\d+)?(.*)$")
SKIP = re.compile(r"#\s*skip", re.I)


def tests_of(build):
    with open(os.path.join(build, "meson-info", "intro-tests.json"), encoding="utf-8") as f:
        return json.load(f)


def run_one(test, build):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **test["env"])
    with subprocess.Popen(test["cmd"], env=env, cwd=test["workdir"] or build, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as p:
        try:
            out, _ = p.communicate(timeout=test["timeout"] or None)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
            out += b"\nnot ok - timed out\n"
    return p.returncode, out.decode("utf-8", "replace")


def count(status, out):
    """Passed and failed cases. A skip is a failure: every need of the unit suite is met where it builds."""
    passed = failed = 0
    for line in out.splitlines():
        m = CASE.match(line)
        if m and (m[1] or SKIP.search(m[2])):
            failed += 1
        elif m:
            passed += 1
    if passed + failed == 0:
        return (1, 0) if status == 0 else (0, 1)
    if status != 0 and failed == 0:
        failed = 1
    return passed, failed


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--build", required=True)
    a.add_argument("--counts")
    a.add_argument("--name", default="unit")
    a.add_argument("--suite", help="only tests of this suite")
    a.add_argument("names", nargs="*", help="only these tests")
    a = a.parse_args()
    total_passed = total_failed = 0
    for test in tests_of(a.build):
        if a.names and test["name"] not in a.names:
            continue
        if a.suite and a.suite not in (s.split(":")[-1] for s in test["suite"]):
            continue
        start = time.monotonic()
        status, out = run_one(test, a.build)
        passed, failed = count(status, out)
        total_passed += passed
        total_failed += failed
        word = "ok  " if failed == 0 else "FAIL"
        print(f"{word} {test['name']:<28} {passed:4d} cases {time.monotonic() - start:6.2f} s", flush=True)
        if failed:
            print(out, f"(exit status {status})", flush=True)
    if a.counts:
        with open(a.counts, "a", encoding="utf-8") as f:
            f.write(f"{a.name} {total_passed} {total_failed}\n")
    print(f"{a.name}: {total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


if __name__ == "__main__":
    sys.exit(main())
