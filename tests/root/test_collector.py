# SPDX-License-Identifier: Apache-2.0
"""With the collector, records lie where their user cannot write, a session without it does not run, and none waits for another.

The program is the installed one, started for its socket as systemd does it (LISTEN_FDS), as a user of its own. Its socket and the policy lie over
/run/stockade and /etc/stockade in mount namespaces of the tests' own.
"""
import json
import os
import pwd
import signal
import socket
import subprocess

import pytest
from integration.harness import ODD, STAGE, STOCKADE, Wire, gone, until

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

PROGRAM = f"{STAGE}/prefix/libexec/stockade/stockade-collector"
USER = 65123  # of nobody else
SOME_USER, FIRST = 65124, 3_000_000_000  # nor these
SESSIONS_EACH = 256  # collector/users.h
PLACES = {"ETC": "/etc/stockade", "RUN": "/run/stockade", "LOGS": "/var/log/stockade", "STATE": "/var/lib/stockade-collector"}
OVER = " && ".join(f'mount --bind "${name}" {place}' for name, place in PLACES.items()) + ' && exec "$@"'
AS = 'mount --bind "$SUBUID" /etc/subuid && LISTEN_PID=$$ exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"'


class Collector:
    def __init__(self, base):
        self.base, self.run, self.logs, self.state = base, f"{base}/run", f"{base}/logs", f"{base}/state"
        os.mkdir(self.run, 0o755)
        for d in (self.logs, self.state):
            os.mkdir(d, 0o755)
            os.chown(d, USER, USER)
        self.env = {"LISTEN_FDS": "1", "LOGS_DIRECTORY": self.logs, "STATE_DIRECTORY": self.state, "PATH": os.environ["PATH"], "SUBUID": f"{base}/subuid"}
        with open(f"{base}/subuid", "w", encoding="ascii") as f:
            f.write(f"{SOME_USER}:{FIRST}:1000\n")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(f"{self.run}/collector.sock")
        os.chmod(f"{self.run}/collector.sock", 0o666)
        self.socket.listen(64)
        self.p = None
        self.start()

    def start(self):
        fd = self.socket.fileno()
        self.p = subprocess.Popen(["unshare", "-m", "sh", "-c", AS, str(USER), PROGRAM], pass_fds=(3,), preexec_fn=lambda: os.dup2(fd, 3), stderr=subprocess.PIPE,
                                  env=self.env)

    def children(self):
        with open(f"/proc/{self.p.pid}/task/{self.p.pid}/children", encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def records(self, uid=0):
        return [json.loads(x) for x in self.audit("show", uid, "--json").stdout.splitlines()]

    def audit(self, what, uid, *more):
        return subprocess.run([STOCKADE, "audit", what, "--dir", f"{self.logs}/{uid}", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)

    def verified(self, uid=0, key=None):
        r = self.audit("verify", uid, "--key", key or f"{self.logs}/audit.pub", "--json")
        assert r.returncode == 0, r
        return json.loads(r.stdout.splitlines()[-1])

    def done(self):
        for pid in [*self.children(), self.p.pid] if self.p.poll() is None else []:
            os.kill(pid, signal.SIGKILL)
        self.p.wait()
        self.socket.close()


class Machine:
    def __init__(self, person):
        self.person, self.etc = person, f"{person.base}/etc"
        os.mkdir(self.etc, 0o755)
        self.policy()
        self.collector = c = Collector(person.base)
        self.env = {**person.env, "ETC": self.etc, "RUN": c.run, "LOGS": c.logs, "STATE": c.state}

    def policy(self, **audit):
        with open(f"{self.etc}/policy.json", "w", encoding="ascii") as f:
            json.dump({"stockade": 1, "audit": {"to": "collector", **audit}}, f)

    def stockade(self, *words, check=None):
        r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, "sh", STOCKADE, *words], env=self.env, cwd=self.person.work, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        assert check is None or r.returncode == check, r
        return r

    def approve(self, *words):
        digest = self.stockade("approve", "--print-digest", *words, check=0).stdout.strip()
        self.stockade("approve", "--digest", digest, *words, check=0)

    def start(self, *words):
        w = Wire(["unshare", "-m", "sh", "-c", OVER, "sh", STOCKADE, "run", *words], env=self.env, cwd=self.person.work)
        w.initialize()
        return w


@pytest.fixture
def machine(person):
    made = [d for d in PLACES.values() if not os.path.isdir(d)]
    for d in made:
        os.mkdir(d, 0o755)
    m = Machine(person)
    yield m
    m.collector.done()
    for d in made:
        os.rmdir(d)


def test_a_session_is_recorded_where_its_user_cannot_write_and_signed_by_the_collector(machine):
    machine.approve("--", *ODD, "collected")
    w = machine.start("--", *ODD, "collected")
    w.call("echo", {"text": "recorded"})
    assert w.end() == 0
    until(lambda: not machine.collector.children())
    records = [r for r in machine.collector.records() if r["server"].endswith("collected") or "tool" in r]
    events = [r["event"] for r in records]
    assert "tool.call" in events and "tool.result" in events, events
    first = machine.collector.records()[0]
    assert first["uid"] == "0" and first["user"] == "root" and "client" in first["claimed"], first
    directory = f"{machine.collector.logs}/0"
    assert os.stat(directory).st_uid == USER and os.stat(directory).st_mode & 0o077 == 0
    verdict = machine.collector.verified()
    assert verdict["covered"] == verdict["records"] > 10, verdict
    assert not os.path.exists(f"{machine.person.home}/.local/state/stockade/audit"), "a log of the user's own beside it"


def test_check_says_where_records_go_and_by_which_line(machine):
    text = machine.stockade("check", "--", "/usr/bin/true", check=0).stdout
    assert "records go to the machine's collector" in text and '/etc/stockade/policy.json:1 (audit.to "collector")' in text, text


def test_without_its_collector_nothing_is_started(machine):
    machine.approve("--", *ODD, "alone")
    machine.collector.done()
    r = machine.stockade("run", "--", *ODD, "alone", check=125)
    assert "has nobody listening" in r.stderr and "policy.json:1 (audit.to" in r.stderr and r.stdout == "", r
    os.unlink(f"{machine.collector.run}/collector.sock")
    r = machine.stockade("run", "--", *ODD, "alone", check=125)
    assert "is not there" in r.stderr and "nothing runs unrecorded" in r.stderr, r


def test_a_session_whose_writer_is_gone_ends_even_when_it_is_idle(machine):
    machine.approve("--", *ODD, "mark-idle")
    w = machine.start("--", *ODD, "mark-idle")
    w.call("echo", {"text": "recorded"})
    for pid in machine.collector.children():
        os.kill(pid, signal.SIGKILL)
    assert w.wait() == 125
    assert b"the collector of audit records is gone" in w.err, w.err
    assert not gone("mark-idle")


def test_a_collector_that_is_restarted_takes_no_session_down(machine):
    machine.approve("--", *ODD, "upgrade")
    w = machine.start("--", *ODD, "upgrade")
    machine.collector.p.terminate()
    assert machine.collector.p.wait(60) == 0
    machine.collector.start()
    w.call("echo", {"text": "recorded"})
    other = machine.start("--", *ODD, "upgrade")
    assert other.end() == 0 and w.end() == 0
    until(lambda: [r["event"] for r in machine.collector.records()].count("session.close") == 2)
    assert machine.collector.verified()["records"] > 10


def test_a_stopped_session_and_a_stopped_writer_hold_up_nobody(machine):
    machine.approve("--", *ODD, "stopped")
    stopped = machine.start("--", *ODD, "stopped")
    writers = set(machine.collector.children())
    second = machine.start("--", *ODD, "stopped")
    os.kill(stopped.p.pid, signal.SIGSTOP)
    os.kill((set(machine.collector.children()) - writers).pop(), signal.SIGSTOP)
    third = machine.start("--", *ODD, "stopped")
    assert third.call("echo", {"text": "recorded"})["result"] and third.end() == 0
    os.kill(stopped.p.pid, signal.SIGCONT)
    for pid in machine.collector.children():
        os.kill(pid, signal.SIGCONT)
    assert stopped.end() == 0 and second.end() == 0
    until(lambda: not machine.collector.children())
    assert machine.collector.verified()["running"] == 0


def test_what_was_recorded_before_the_supervisor_was_killed_is_there_and_the_log_is_closed(machine):
    machine.approve("--", *ODD, "killed")
    w = machine.start("--", *ODD, "killed")
    w.call("echo", {"text": "recorded"})
    w.kill()
    until(lambda: not machine.collector.children())
    last = machine.collector.records()[-1]
    assert last["event"] == "session.close" and "ended without a close" in last["status"], last
    verdict = machine.collector.verified()
    assert verdict["covered"] == verdict["records"], verdict


def session(machine, words):
    w = machine.start("--", *ODD, words)
    assert w.end() == 0
    until(lambda: not machine.collector.children())


def test_a_changed_key_is_told_by_the_old_one_and_both_check_the_log(machine):
    machine.approve("--", *ODD, "rotated")
    session(machine, "rotated")
    before = f"{machine.person.base}/before.pub"
    with open(f"{machine.collector.logs}/audit.pub", "rb") as f, open(before, "wb") as to:
        to.write(f.read())
    running = machine.start("--", *ODD, "rotated")
    r = machine.stockade("audit", "key", "--collector", "--new", check=0)
    now, old = r.stdout.splitlines()
    assert f"{now}\n" not in open(before, encoding="ascii").read() and old == open(before, encoding="ascii").read().strip() + " before", r
    assert "systemctl restart stockade-collector.service" in r.stderr, r
    machine.collector.p.terminate()
    machine.collector.p.wait(60)
    machine.collector.start()
    assert running.end() == 0  # by the writer that has the old key
    until(lambda: machine.collector.verified(key=before)["running"] == 0)
    session(machine, "rotated")
    verdict = machine.collector.verified()
    assert verdict["covered"] == verdict["records"], verdict
    assert machine.stockade("audit", "key", "--collector", check=0).stdout == open(f"{machine.collector.logs}/audit.pub", encoding="ascii").read()
    alone = machine.collector.audit("verify", 0, "--key", before)
    assert alone.returncode == 1 and now.split()[2] in alone.stdout, alone
    # whoever kept nothing but the old key learns of the new one from what it signed
    machine.collector.verified(USER, before)
    told, = [r for r in machine.collector.records(USER) if r["event"] == "log.key"]
    assert told["detail"]["public"] == now and told["user"] == "root" and told["uid"] == "0", told
    for directory, _, names in [*os.walk(machine.collector.logs), *os.walk(machine.collector.state)]:
        assert {os.stat(f"{directory}/{name}").st_uid for name in names} <= {USER}, directory


def test_a_key_that_cannot_be_told_of_is_not_changed(machine):
    machine.approve("--", *ODD, "kept")
    session(machine, "kept")
    before = open(f"{machine.collector.state}/audit-key", "rb").read()
    os.mkdir(f"{machine.collector.logs}/{USER}", 0o500)  # root's: nothing can be written there
    machine.stockade("audit", "key", "--collector", "--new", check=125)
    assert open(f"{machine.collector.state}/audit-key", "rb").read() == before


def test_what_is_too_much_for_the_policy_is_removed_oldest_first_and_told(machine):
    machine.approve("--", *ODD, "much")
    for _ in range(3):
        session(machine, "much")
    directory = f"{machine.collector.logs}/0"
    files = sorted((f for f in os.listdir(directory) if f != "index.jsonl"), key=lambda f: os.stat(f"{directory}/{f}").st_mtime)
    newest = os.stat(f"{directory}/{files[-1]}").st_size
    machine.policy(size=str(newest + 10))
    dry = machine.stockade("audit", "prune", "--collector", "--dry-run", check=0)
    assert len(os.listdir(directory)) == len(files) + 1 and "would remove 2 sessions" in dry.stdout, dry
    assert f"would remove {os.geteuid()}/{files[0]}: " in dry.stdout, dry
    planned = json.loads(machine.stockade("audit", "prune", "--collector", "--dry-run", "--json", check=0).stdout)
    assert [(p["uid"], p["file"]) for p in planned["logs"]] == [("0", f) for f in files[:-1]] and planned["dry_run"] is True, planned
    r = machine.stockade("audit", "prune", "--collector", "--size", "1GiB", check=0)
    assert "--size 1GiB counts for nothing here: " in r.stderr and "policy.json:1 (audit.size" in r.stderr, r
    assert set(os.listdir(directory)) == {"index.jsonl", files[-1]} and "policy.json:1 (audit.size" in r.stdout, r
    verdict = machine.collector.verified()
    assert verdict["covered"] == verdict["records"], verdict
    with open(f"{directory}/index.jsonl", encoding="utf-8") as f:
        drops = [json.loads(line) for line in f if '"index.drop"' in line]
    assert [d["file"] for d in drops] == files[:-1] and all("audit.size" in d["status"] for d in drops), drops
    assert {os.stat(f"{directory}/{f}").st_uid for f in os.listdir(directory)} == {USER}


def test_what_a_profile_says_of_age_is_no_rule_for_what_the_collector_keeps(machine):
    machine.person.profile("long", {"stockade": 1, "name": "long", "command": ODD, "audit": {"delete_after": "1000d"}})
    assert "1000d is written into each record; how long the collector keeps them is policy's" in machine.stockade("check", "--json", "long", check=0).stdout
    machine.approve("long")
    w = machine.start("long")
    assert w.end() == 0
    until(lambda: not machine.collector.children())
    last = machine.collector.records()[-1]
    assert (last["event"], last["delete_after"]) == ("session.close", "1000d"), last
    assert "removed 0 sessions" in machine.stockade("audit", "prune", "--collector", check=0).stdout
    machine.policy(delete_after="1s")
    told = until(lambda: [x for x in machine.stockade("audit", "prune", "--collector", check=0).stdout.splitlines() if "policy.json:1 (audit.delete_after" in x])
    assert last["session"] in told[-1], told
    assert machine.collector.verified()["records"] == 0


def connections(machine, uids):
    """One of each user id, as the kernel tells the collector."""
    for uid in uids:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.seteuid(uid)
        try:
            s.connect(f"{machine.collector.run}/collector.sock")
        finally:
            os.seteuid(0)
        yield s


def test_the_ids_of_a_users_namespaces_have_one_share_together_and_others_go_on(machine):
    os.chmod(machine.person.base, 0o755)
    open_ones = list(connections(machine, range(FIRST, FIRST + SESSIONS_EACH)))
    until(lambda: len(machine.collector.children()) == SESSIONS_EACH)
    more, = connections(machine, [FIRST + SESSIONS_EACH])
    assert b"takes no more sessions of this user at once" in more.recv(4096)
    other, = connections(machine, [FIRST + 1000])  # of no range
    until(lambda: len(machine.collector.children()) == SESSIONS_EACH + 1)
    assert {d for d in os.listdir(machine.collector.logs) if d.isdigit()} == {str(SOME_USER), str(FIRST + 1000)}
    for s in (*open_ones, more, other):
        s.close()
    until(lambda: not machine.collector.children())


def test_the_collector_can_do_no_more_than_its_work(machine):
    pid = machine.collector.p.pid

    def confined():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        return status if status["Seccomp"] == "2" else None

    status = until(confined)
    assert status["NoNewPrivs"] == "1" and status["Uid"].split() == [str(USER)] * 4, status
    assert all(status[c].strip("0") == "" for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")), status


@pytest.mark.parametrize("variable, words", [("LISTEN_FDS", "one socket"), ("LOGS_DIRECTORY", "LOGS_DIRECTORY"), ("STATE_DIRECTORY", "STATE_DIRECTORY")])
def test_started_by_anybody_else_it_says_who_starts_it(machine, variable, words):
    env = {name: value for name, value in machine.collector.env.items() if name != variable}
    fd = machine.collector.socket.fileno()
    r = subprocess.run(["unshare", "-m", "sh", "-c", AS, str(USER), PROGRAM], pass_fds=(3,), preexec_fn=lambda: os.dup2(fd, 3), stderr=subprocess.PIPE, text=True,
                       env=env, check=False)
    assert r.returncode == 1 and (words in r.stderr or "systemctl enable" in r.stderr), r


OTHER = pwd.getpwnam("stockade-test")
LATER = 'exec setpriv --reuid="$0" --regid="$0" --clear-groups "$@"'


def session_of(machine, person, uid, mark):
    """A session of that user's under the same collector, to its end."""
    home = f"{machine.person.base}/home-{uid}"
    if not os.path.isdir(home):
        os.mkdir(home, 0o700)
        os.chown(home, uid, uid)
    env = {**{k: v for k, v in machine.env.items() if not k.startswith("XDG_")}, "HOME": home, "USER": person, "LOGNAME": person}
    as_user = ["unshare", "-m", "sh", "-c", OVER, "sh", "sh", "-c", LATER, str(uid)] if uid else ["unshare", "-m", "sh", "-c", OVER, "sh"]

    def stockade(*words):
        return subprocess.run([*as_user, STOCKADE, *words], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=True).stdout.strip()
    words = ("--", "/usr/bin/true", mark)
    stockade("approve", "--digest", stockade("approve", "--print-digest", *words), *words)
    stockade("run", *words)
    until(lambda: not machine.collector.children())


def exported(machine, *words, check=0):
    out = machine.stockade("audit", "export", "--collector", "--format", "jsonl", *words, check=check).stdout
    return [json.loads(line) for line in out.splitlines()]


def opened(records):
    return sorted((r["uid"], r["server"]) for r in records if r["event"] == "session.open")


def logs_of(machine):
    return {(r["session"], r["seq"]) for uid in os.listdir(machine.collector.logs) if uid.isdigit() for r in machine.collector.records(uid)}


def test_the_logs_of_all_users_are_exported_once_each_those_of_later_ones_included(machine):
    cursor = f"{machine.person.base}/cursor"
    session_of(machine, "root", 0, "first")
    one = exported(machine, "--cursor", cursor)
    assert {u for u, _ in opened(one)} == {"0"} and exported(machine, "--cursor", cursor) == []
    session_of(machine, OTHER.pw_name, OTHER.pw_uid, "second")
    session_of(machine, "root", 0, "third")
    two = exported(machine, "--cursor", cursor)
    assert {u for u, _ in opened(two)} == {"0", str(OTHER.pw_uid)} and exported(machine, "--cursor", cursor) == []
    everything = [(r["session"], r["seq"]) for r in one + two]
    assert len(everything) == len(set(everything)) and set(everything) == logs_of(machine)
    assert {f for f in os.listdir(machine.person.base) if f.startswith("cursor") and not f.endswith(".lock")} == {"cursor.0", f"cursor.{OTHER.pw_uid}"}
    # without a cursor each time all of it, and into files a file a user
    assert {(r["session"], r["seq"]) for r in exported(machine)} == set(everything)
    into = f"{machine.person.base}/into"
    assert exported(machine, "--output", into, "--cursor", f"{into}.c") == []
    for uid in (0, OTHER.pw_uid):
        with open(f"{into}.{uid}", encoding="utf-8") as f:
            assert {json.loads(line)["uid"] for line in f} == {str(uid)}


def test_a_log_that_cannot_be_exported_holds_up_no_other_users(machine):
    """Whichever of them is looked at first."""
    users = {0: "root", OTHER.pw_uid: OTHER.pw_name}
    for broken, whole in (list(users), list(users)[::-1]):
        cursor, index = f"cursor-{broken}", f"{machine.collector.logs}/{broken}/index.jsonl"
        session_of(machine, users[broken], broken, "first")
        exported(machine, "--cursor", f"{machine.person.base}/{cursor}")
        session_of(machine, users[whole], whole, "second")
        os.rename(index, f"{machine.person.base}/aside")
        r = machine.stockade("audit", "export", "--collector", "--format", "jsonl", "--cursor", f"{machine.person.base}/{cursor}", check=125)
        assert {u for u, _ in opened(map(json.loads, r.stdout.splitlines()))} == {str(whole)}, r
        assert f"{cursor}.{broken}" in r.stderr, r.stderr
        os.rename(f"{machine.person.base}/aside", index)


def test_who_follows_the_collectors_logs_sees_users_that_come_later(machine):
    words = ["unshare", "-m", "sh", "-c", OVER, "sh", STOCKADE, "audit", "export", "--collector", "--format", "jsonl", "-f"]
    assert "needs --cursor" in machine.stockade(*words[7:], check=2).stderr
    session_of(machine, "root", 0, "first")
    seen = []
    with subprocess.Popen([*words, "--cursor", f"{machine.person.base}/cursor"], env=machine.env, stdout=subprocess.PIPE, text=True) as p:
        try:
            for user, uid, mark in (("root", 0, None), (OTHER.pw_name, OTHER.pw_uid, "second"), ("root", 0, "third")):
                if mark:
                    session_of(machine, user, uid, mark)
                while not logs_of(machine) <= {(r["session"], r["seq"]) for r in seen}:
                    seen.append(json.loads(p.stdout.readline()))
        finally:
            p.terminate()
        assert p.wait(60) == 0
    assert len(seen) == len(logs_of(machine)) and {r["uid"] for r in seen} == {"0", str(OTHER.pw_uid)}
