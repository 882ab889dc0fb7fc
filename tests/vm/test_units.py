# SPDX-License-Identifier: Apache-2.0
"""What the units say is so once systemd has started them: sockets start services, services can do no more than they say, timers come."""
import json
import os
import signal
import socket
import subprocess

import pytest
from integration.harness import STOCKADE, gone, until
from vm.conftest import LOGS, SERVICE, SOCKET, do, policy, put, show

def collector_pid():
    return int(show(SERVICE, "MainPID"))


def test_nothing_is_started_without_the_socket_and_with_it_the_first_session_starts_the_collector(installed, user):
    do("systemctl", "stop", SOCKET, SERVICE)
    assert "nothing runs unrecorded" in user.do(STOCKADE, "run", "--", "/usr/bin/true", check=125)
    do("systemctl", "start", SOCKET)
    assert show(SERVICE, "ActiveState") == "inactive"
    user.session("first")
    assert show(SERVICE, "ActiveState") == "active"
    assert {"session.open", "tool.call", "session.close"} <= {r["event"] for r in user.records()}
    assert {r["uid"] for r in user.records()} == {str(user.uid)}
    assert user.whole()["records"] > 5


def test_the_log_is_the_collectors_and_no_user_reads_or_writes_it(user):
    user.session("own")
    user.do("touch", f"{user.base}/control")
    for path in (f"{LOGS}/x", f"{LOGS}/{user.uid}/x", "/var/lib/stockade-collector/x"):
        assert "Permission denied" in user.do("touch", path, check=1)
    for path in (f"{LOGS}/{user.uid}", "/var/lib/stockade-collector"):
        assert "Permission denied" in user.do("ls", path, check=2)
    assert "stockade-audit-key" in user.do("cat", f"{LOGS}/audit.pub")  # the public half is for everybody


def test_the_collector_can_write_its_two_directories_and_nothing_else(user):
    user.session("sandboxed")
    pid = collector_pid()
    inside = ["nsenter", "-t", str(pid), "-m", "--"]
    for directory in (LOGS, "/var/lib/stockade-collector"):
        do(*inside, "touch", f"{directory}/x")
        do(*inside, "rm", f"{directory}/x")
    for path in ("/etc/x", "/usr/x", "/var/lib/x", "/var/x", "/x"):
        do("touch", path)  # the control: root may, where the service's directives do not hold
        os.unlink(path)
        assert "Read-only file system" in do(*inside, "touch", path, check=1)
    assert os.listdir("/home") and do(*inside, "ls", "-A", "/home") == ""
    assert os.path.exists("/dev/ttyS1") and "No such file" in do(*inside, "ls", "/dev/ttyS1", check=2)


def test_the_collector_has_no_rights_no_network_and_a_filter(user):
    user.session("rights")
    pid = collector_pid()
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status
    assert int(status["Seccomp_filters"]) >= 2, status  # systemd's and its own
    assert all(int(status[c], 16) == 0 for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")), status
    assert status["Uid"].split() == [do("id", "-u", "_stockade-log").strip()] * 4, status
    for kind in ("net", "mnt", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/1/ns/{kind}"), kind
    assert f"/{SERVICE}" in open(f"/proc/{pid}/cgroup", encoding="ascii").read()
    assert do("cat", f"/sys/fs/cgroup/system.slice/{SERVICE}/pids.max") == "4200\n"


@pytest.mark.parametrize("service, most", [("stockade-collector.service", 10), ("stockade-audit-prune.service", 10), ("stockade-sync.service", 30)])
def test_systemd_counts_little_that_is_left_to_a_service(installed, service, most):
    do("systemd-analyze", "security", "--no-pager", f"--threshold={most}", service)


def test_when_the_collector_is_killed_the_session_ends_and_the_next_starts_another(user):
    w = user.start("mark-killed")
    before = collector_pid()
    do("systemctl", "kill", "--kill-whom=all", "--signal=SIGKILL", SERVICE)
    assert w.wait() == 125
    assert b"the collector of audit records is gone" in w.err, w.err
    assert not gone("mark-killed")
    user.session("after")
    assert collector_pid() not in (0, before)
    user.whole()


def test_a_restart_of_the_service_takes_no_session_down(user):
    user.approve("new")
    w = user.start("upgraded")
    before = collector_pid()
    do("systemctl", "restart", SERVICE)
    assert collector_pid() not in (0, before)
    assert w.call("echo", {"text": "goes on"})["result"]
    user.session("new")
    assert w.end() == 0
    user.whole()


def test_a_changed_key_signs_after_a_restart_and_both_are_published(user):
    user.session("before")
    old = do(STOCKADE, "audit", "key", "--collector").split()[2]
    do(STOCKADE, "audit", "key", "--collector", "--new")
    do("systemctl", "restart", SERVICE)
    user.session("after")
    keys = [r["key"] for r in user.records() if r["event"] == "session.close"]
    assert keys[-1] != old and old in keys, keys
    user.whole()
    told = do(STOCKADE, "audit", "show", "--json", "--dir", f"{LOGS}/{do('id', '-u', '_stockade-log').strip()}")
    public, = [r["detail"]["public"] for r in map(json.loads, told.splitlines()) if r["event"] == "log.key"]
    assert public.split()[2] == keys[-1], told


def sessions_of(user):
    return {f for f in os.listdir(f"{LOGS}/{user.uid}") if f != "index.jsonl"}


def test_the_service_of_the_timer_removes_what_the_policy_keeps_no_longer_and_no_root_is_needed(user):
    user.session("old")
    there = sessions_of(user)
    do("systemctl", "start", "stockade-audit-prune.service")
    assert sessions_of(user) == there, "without a rule something was removed"
    policy(audit={"delete_after": "1d"})
    do("systemctl", "start", "stockade-audit-prune.timer")
    assert show("stockade-audit-prune.timer", "NextElapseUSecRealtime") and show("stockade-audit-prune.timer", "Triggers") == "stockade-audit-prune.service"
    now = int(do("date", "+%s"))
    do("date", "-s", f"@{now + 3 * 86400}")
    try:
        # What the timer does at some time within the hour: it is not waited for.
        do("systemctl", "start", "stockade-audit-prune.service")
        assert not sessions_of(user) & there
        assert show("stockade-audit-prune.service", "Result") == "success" and show("stockade-audit-prune.service", "User") == "_stockade-log"
        user.whole()
    finally:
        do("systemctl", "stop", "stockade-audit-prune.timer")
        do("date", "-s", f"@{now + 60}")


KEPT = "/var/lib/stockade/bundle/current/bundle.json"


class Web:
    """A directory that a web server of the loopback serves."""

    def __init__(self, base):
        self.base = base
        os.mkdir(f"{base}/web")
        subprocess.run(["minisign", "-G", "-W", "-p", "it.pub", "-s", "it.key"], cwd=base, check=True, stdout=subprocess.DEVNULL)
        os.makedirs("/etc/stockade/keys", exist_ok=True)
        with open(f"{base}/it.pub", encoding="ascii") as f:
            put("/etc/stockade/keys/it.pub", f.read())
        self.p = subprocess.Popen(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", f"{base}/web", "8123"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers)

    @staticmethod
    def answers():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", 8123)) == 0

    def offer(self, version):
        put(f"{self.base}/web/bundle.json", {"stockade": 1, "bundle": "acme", "version": version, "issued": "2026-01-01T00:00:00Z",
                                             "expires": "2099-01-01T00:00:00Z", "profiles": []})
        subprocess.run(["minisign", "-S", "-W", "-s", "it.key", "-m", "web/bundle.json"], cwd=self.base, check=True, stdout=subprocess.DEVNULL)

    def done(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()


def kept():
    try:
        with open(KEPT, encoding="utf-8") as f:
            return json.load(f)["version"]
    except FileNotFoundError:
        return 0


def test_the_timer_takes_the_newest_bundle_from_a_web_server(user):
    os.chmod(user.base, 0o755)
    web = Web(user.base)
    try:
        web.offer(7)
        policy(bundle={"url": "http://127.0.0.1:8123/bundle.json", "every": "1min"})
        do("systemctl", "start", "stockade-sync.service")
        assert kept() == 7 and show("stockade-sync.service", "Result") == "success"
        assert os.stat(KEPT).st_uid == 0
        web.offer(8)
        do("systemctl", "start", "stockade-sync.timer")
        until(lambda: kept() == 8, 300)
    finally:
        do("systemctl", "stop", "stockade-sync.timer")
        web.done()
