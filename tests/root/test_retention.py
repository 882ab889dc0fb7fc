# SPDX-License-Identifier: Apache-2.0
"""The end of a session removes what the policy keeps no longer, once a day, and the index tells of it."""
import json
import os
import subprocess
import time

import pytest
from integration.harness import ODD, STOCKADE, Wire, until

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

OVER = 'mount --bind "$0" /etc/stockade && exec "$@"'
DAY = 24 * 3600


class Machine:
    def __init__(self, person):
        self.person, self.etc = person, f"{person.base}/etc"
        self.log = f"{person.home}/.local/state/stockade/audit"
        os.mkdir(self.etc, 0o755)

    def policy(self, **audit):
        with open(f"{self.etc}/policy.json", "w", encoding="ascii") as f:
            json.dump({"stockade": 1, "audit": {"to": "user", **audit}}, f)

    def under(self, *words):
        return ["unshare", "-m", "sh", "-c", OVER, self.etc, STOCKADE, *words]

    def stockade(self, *words):
        return subprocess.run(self.under(*words), env=self.person.env, cwd=self.person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=True).stdout

    def approve(self, *words):
        self.stockade("approve", "--digest", self.stockade("approve", "--print-digest", *words).strip(), *words)

    def session(self, *words):
        """One that begins and ends; its file, or nothing when that went with the others."""
        before = self.files()
        w = Wire(self.under("run", *words), env=self.person.env, cwd=self.person.work)
        w.initialize()
        assert w.end() == 0, w.err
        return self.files() - before

    def files(self):
        return {f for f in (os.listdir(self.log) if os.path.isdir(self.log) else []) if f.endswith(".jsonl") and f != "index.jsonl"}

    def drops(self):
        with open(f"{self.log}/index.jsonl", encoding="utf-8") as f:
            return [r for r in map(json.loads, f) if r["event"] == "index.drop"]


@pytest.fixture
def machine(person):
    made = not os.path.isdir("/etc/stockade")
    if made:
        os.mkdir("/etc/stockade", 0o755)
    yield Machine(person)
    if made:
        os.rmdir("/etc/stockade")


def test_the_end_of_a_session_removes_what_is_too_much_once_a_day(machine):
    machine.policy()
    machine.approve("--", *ODD, "kept")
    assert machine.session("--", *ODD, "kept"), "no file of the session"
    kept = machine.files()
    machine.session("--", *ODD, "kept")
    assert kept < machine.files() and machine.drops() == [], "without a rule something was removed"
    machine.policy(size="1")
    there = machine.files()
    machine.session("--", *ODD, "kept")
    dropped = machine.drops()
    assert {d["file"] for d in dropped} >= there and all("policy.json:1 (audit.size" in d["status"] for d in dropped), dropped
    assert not machine.files() & there
    stamp = f"{machine.log}/pruned"
    after = machine.session("--", *ODD, "kept")
    assert after and len(machine.drops()) == len(dropped), "a second time on the same day"
    os.utime(stamp, (time.time() - 2 * DAY,) * 2)
    machine.session("--", *ODD, "kept")
    assert not machine.files() & after and len(machine.drops()) > len(dropped)
    machine.person.verified()


def test_check_says_what_becomes_of_the_log_of_a_profile_that_has_an_age(machine):
    machine.policy()
    machine.person.profile("aged", {"stockade": 1, "name": "aged", "command": ODD, "audit": {"delete_after": "1d"}})
    said = " ".join(machine.stockade("check", "aged").split())
    assert "removed 1d after its end (audit.delete_after)" in said and "deletes no records" not in said, said
    machine.approve("aged")
    file = f"{machine.log}/{machine.session('aged').pop()}"
    machine.stockade("audit", "prune")
    assert os.path.exists(file)


def test_an_age_that_no_session_has_yet_removes_nothing(machine):
    machine.policy(delete_after="90d")
    machine.approve("--", *ODD, "young")
    assert machine.session("--", *ODD, "young") <= machine.files() and machine.drops() == []
    assert os.path.exists(f"{machine.log}/pruned"), "nobody looked"


def started(machine):
    return any("session.ready" in open(f"{machine.log}/{f}", encoding="utf-8").read() for f in machine.files())


@pytest.mark.parametrize("changes", [False, True])
def test_a_launch_that_waited_records_where_the_policy_says_now_or_does_not_start(machine, changes):
    machine.policy()
    w = Wire(machine.under("run", "--", *ODD, "waits"), env=machine.person.env, cwd=machine.person.work)
    w.initialize()
    digest = machine.stockade("approve", "--print-digest", "--", *ODD, "waits").strip()
    until(lambda: "odd" in machine.stockade("approve", "--json"))
    if changes:
        machine.policy(to="collector")
    machine.stockade("approve", "--digest", digest, "--", *ODD, "waits")
    if changes:
        until(lambda: b"changed where records go" in w.err)
        assert w.end() == 125
        assert not started(machine)
        return
    until(lambda: started(machine))
    assert w.end() == 0
