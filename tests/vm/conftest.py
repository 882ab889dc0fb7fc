# SPDX-License-Identifier: Apache-2.0
"""A machine that systemd has booted, with stockade's units enabled as an administrator does it."""
import json
import os
import pwd
import shutil
import subprocess
import tempfile

import pytest
from integration.harness import ODD, STAGE, STOCKADE, Wire, until

UNITS = f"{STAGE}/prefix/lib/systemd/system"
LOGS, SOCKET, SERVICE = "/var/log/stockade", "stockade-collector.socket", "stockade-collector.service"


def do(*words, check=0, **kw):
    r = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False, **kw)
    assert check is None or r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{journal()}"
    return r.stdout


def journal():
    return subprocess.run(["journalctl", "-b", "-n", "30", "--no-pager", "-o", "cat"], stdout=subprocess.PIPE, text=True, check=False).stdout


def show(unit, name):
    return do("systemctl", "show", "-P", name, unit).strip()


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(content if isinstance(content, str) else json.dumps(content))
    os.chmod(path, 0o644)


def policy(**more):
    put("/etc/stockade/policy.json", {"stockade": 1, "audit": {"to": "collector", **more.pop("audit", {})}, **more})


class User:
    """An ordinary one, with a home of their own."""

    def __init__(self):
        entry = pwd.getpwnam("stockade-test")
        self.approved = set()
        self.uid, self.base = entry.pw_uid, tempfile.mkdtemp(prefix="stockade-vm-", dir="/tmp")
        os.chown(self.base, entry.pw_uid, entry.pw_gid)
        os.chmod(self.base, 0o755)
        self.kw = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": self.base, "env": {
            "HOME": self.base, "USER": entry.pw_name, "LOGNAME": entry.pw_name, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}}

    def do(self, *words, check=0):
        return do(*words, check=check, **self.kw)

    def approve(self, mark):
        """Before there is a session: while one runs, its client, which is this process, may not."""
        digest = self.do(STOCKADE, "approve", "--print-digest", "--", *ODD, mark).split()[-1]
        self.do(STOCKADE, "approve", "--digest", digest, "--", *ODD, mark)
        self.approved.add(mark)

    def start(self, mark):
        """A session of a server that has that word among its own, initialized."""
        if mark not in self.approved:
            self.approve(mark)
        w = Wire([STOCKADE, "run", "--", *ODD, mark], **self.kw)
        w.initialize()
        return w

    def session(self, mark):
        w = self.start(mark)
        assert w.call("echo", {"text": mark})["result"]
        assert w.end() == 0, w.err
        return w

    def log(self, what, *more, check=0):
        return do(STOCKADE, "audit", what, "--dir", f"{LOGS}/{self.uid}", *more, check=check)

    def records(self):
        return [json.loads(line) for line in self.log("show", "--json").splitlines()]

    def whole(self):
        """The log is, and the collector's key has signed all of it."""
        until(lambda: json.loads(self.log("verify", "--json", check=None).splitlines()[-1])["running"] == 0)
        verdict = json.loads(self.log("verify", "--key", f"{LOGS}/audit.pub", "--json").splitlines()[-1])
        assert verdict["covered"] == verdict["records"], verdict
        return verdict


@pytest.fixture(scope="session")
def installed():
    """Units and user, as the package or `meson install` brings them; nothing is enabled yet."""
    do("systemd-sysusers", f"{STAGE}/prefix/lib/sysusers.d/stockade-collector.conf")
    do("systemctl", "link", *(f"{UNITS}/{name}" for name in sorted(os.listdir(UNITS))))
    policy()


@pytest.fixture(scope="session")
def collector(installed):
    do("systemctl", "enable", "--now", SOCKET)


@pytest.fixture
def user(collector):
    u = User()
    yield u
    shutil.rmtree(u.base, ignore_errors=True)
    policy()
