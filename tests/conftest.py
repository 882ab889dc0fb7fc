# SPDX-License-Identifier: Apache-2.0
"""Counting and needs, for every pytest suite.

A skip is a failure, except for a need that this machine does not meet: needs are named here, probed for real, and
printed when unmet.
"""
import os
import platform
import shutil
import socket

import pytest

STAGE = os.environ.get("STOCKADE_STAGE", "")  # what ./dev installed and built for the tests


def first_line(path, otherwise):
    try:
        with open(path, encoding="ascii") as f:
            return f.readline().strip()
    except FileNotFoundError:
        return otherwise


def has_sockets(family):
    try:
        socket.socket(family, socket.SOCK_SEQPACKET if family == socket.AF_ALG else socket.SOCK_STREAM).close()
        return True
    except OSError:
        return False


NEEDS = {
    "x86_64": lambda: platform.machine() == "x86_64",
    "java-sdk": lambda: os.path.exists(f"{STAGE}/java/out/EchoServer.class"),
    "chromium": lambda: os.path.exists("/usr/lib/chromium/chromium"),
    "chromium-headless-shell": lambda: os.path.exists("/usr/lib/chromium/chromium-headless-shell"),
    "root": lambda: os.geteuid() == 0,
    # what an attempt to escape attacks (tests/escape): without it even the control finds nothing
    "io_uring": lambda: first_line("/proc/sys/kernel/io_uring_disabled", "0") == "0",
    "i386": lambda: os.path.exists("/proc/sys/abi/vsyscall32"),
    "ptrace": lambda: os.geteuid() == 0 or first_line("/proc/sys/kernel/yama/ptrace_scope", "0") == "0",
    "machine-id": lambda: os.path.exists("/etc/machine-id"),
    "sysrq": lambda: os.path.exists("/proc/sysrq-trigger"),
    "kcore": lambda: os.path.exists("/proc/kcore"),
    "alg": lambda: has_sockets(socket.AF_ALG),
    "vsock": lambda: has_sockets(socket.AF_VSOCK),
    # which process serves a mount of FUSE
    "fuse-connection": lambda: os.path.exists("/dev/fuse") and tuple(map(int, platform.release().split("-")[0].split(".")[:2])) >= (6, 16),
    "fuse": lambda: os.path.exists("/dev/fuse"),
    # clients of tests/network
    "go": lambda: shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin:/usr/local/bin:/usr/bin:/bin") is not None,
    "musl": lambda: shutil.which("musl-gcc") is not None,
    "postgresql": lambda: shutil.which("psql") is not None and os.path.isdir("/usr/lib/postgresql"),
    "unprivileged": lambda: os.geteuid() != 0,
}


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(name): what the machine must have; a row of NEEDS in tests/conftest.py")
    config.addinivalue_line("markers", "root: one of the main paths, run once more as root")
    config.stockade = {"passed": 0, "failed": 0, "unmet": set()}


def pytest_runtest_setup(item):
    for mark in item.iter_markers("needs"):
        if not NEEDS[mark.args[0]]():
            item.config.stockade["unmet"].add(f"{item.nodeid}: this machine lacks {mark.args[0]}")
            pytest.skip("need:" + mark.args[0])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    tally = item.config.stockade
    if report.skipped and not hasattr(report, "wasxfail") and "need:" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped although nothing is missing: {report.longrepr}"
    if report.failed:
        tally["failed"] += 1
    elif report.when == "call" and report.passed:
        tally["passed"] += 1


def pytest_collectreport(report):
    if report.failed:
        COLLECT_ERRORS.append(report.nodeid)


COLLECT_ERRORS = []


def pytest_sessionfinish(session):
    tally = session.config.stockade
    for line in sorted(tally["unmet"]):
        print(f"\nnot run: {line}", end="")
    path = os.environ.get("STOCKADE_COUNTS")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(f"{os.environ['STOCKADE_SUITE']} {tally['passed']} {tally['failed'] + len(COLLECT_ERRORS)}\n")


@pytest.fixture
def person():
    from integration.harness import Person  # pylint: disable=import-outside-toplevel
    p = Person()
    yield p
    p.done()
