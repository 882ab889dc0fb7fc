# SPDX-License-Identifier: Apache-2.0
"""What a signed bundle says holds for every launch and every session: profiles, pins, kill entries, groups; and it never goes back.

/etc/stockade, /var/lib/stockade, /etc/passwd and /etc/group of a test lie over the real ones in a mount namespace of its own.
"""
import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import struct
import subprocess
import time
import uuid

import pytest
from integration.harness import ODD, STOCKADE, Wire, until
from root.test_bundle import Fleet

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

USERS = {"ann": 4242, "ben": 4343}  # nobody has these numbers
OVER = ('mkdir -p /etc/stockade /var/lib/stockade && mount --bind "$0/etc" /etc/stockade && mount --bind "$0/lib" /var/lib/stockade && '
        'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec setpriv --reuid={0} --regid={0} --clear-groups -- "$@"')
KILL = {"stockade": 1, "server": "odd", "who": "it@example.com", "when": "2026-01-01T00:00:00Z", "why": "SEC-7"}


class Machine(Fleet):
    """With two users, and a policy that believes the key of IT."""

    def __init__(self, base, work):
        super().__init__(base)
        self.work, self.mark = work, "mark-" + uuid.uuid4().hex
        users = "".join(f"{n}:x:{u}:{u}::{base}/{n}:/bin/sh\n" for n, u in USERS.items())
        self.put("passwd", f"root:x:0:0::{base}/root:/bin/sh\n{users}")
        self.put("group", "root:x:0:\nmcp-dev:x:5000:ann\n" + "".join(f"{n}:x:{u}:\n" for n, u in USERS.items()))
        for name, uid in {**USERS, "root": 0}.items():
            os.mkdir(f"{base}/{name}", 0o755)
            os.chown(f"{base}/{name}", uid, uid)
        self.put("etc/policy.json", json.dumps({"stockade": 1, "signatures": {"need": 1, "of": ["it"]}}))

    def odd(self, **more):
        """A profile of that server, as a bundle has it."""
        return self.file("odd", json.dumps({"stockade": 1, "name": "odd", "version": 1, "command": [*ODD, self.mark], **more}, indent=1) + "\n")

    @staticmethod
    def file(name, text):
        return {"name": name, "text": text, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}

    def place(self, version, *profiles, key="it", **more):
        """As configuration management does: each file beside its place, then renamed, the signature first or last."""
        text = self.bundle(version, profiles=list(profiles), **more)
        for name, body in (("bundle.json.minisig", self.signature(text, key)), ("bundle.json", text)):
            self.put(f"etc/.{name}", body)
            os.rename(f"{self.base}/etc/.{name}", f"{self.base}/etc/{name}")
        return text

    def under(self, user, *words):
        return ["unshare", "-m", "sh", "-c", OVER.format({**USERS, "root": 0}[user]), self.base, *words]

    def env(self, user, **more):
        return {"PATH": os.environ["PATH"], "HOME": f"{self.base}/{user}", **more}

    def stockade(self, user, *words, check=None, env=None):
        r = subprocess.run(self.under(user, STOCKADE, *words), env=self.env(user, **(env or {})), cwd=self.work, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=120, check=False)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def approve(self, user, name="odd"):
        digest = self.stockade(user, "approve", "--print-digest", name, check=0).stdout.strip()
        self.stockade(user, "approve", "--digest", digest, name, check=0)

    def start(self, user, name="odd"):
        w = Wire(self.under(user, STOCKADE, "run", name), env=self.env(user), cwd=self.work)
        w.initialize()
        return w


@pytest.fixture
def machine(tmp_path):
    made = [d for d in ("/etc/stockade", "/var/lib/stockade") if not os.path.isdir(d)]
    for d in made:
        os.mkdir(d, 0o755)
    for d in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(d, 0o755)
    os.mkdir(f"{tmp_path}/work")
    os.chmod(f"{tmp_path}/work", 0o777)
    m = Machine(str(tmp_path), f"{tmp_path}/work")
    yield m
    m.web.close()
    for d in made:
        with contextlib.suppress(OSError):
            os.rmdir(d)


def names(wire):
    return {t["name"] for t in wire.request("tools/list", {})["result"]["tools"]}


# --- profiles and pins ---


def test_a_profile_of_the_bundle_is_started_and_each_line_says_where_it_came_from(machine):
    machine.place(1, machine.odd(tools={"allow": ["echo"]}))
    where = '/etc/stockade/bundle.json (profiles "odd")'
    told = json.loads(machine.stockade("ann", "check", "--json", "odd", check=0).stdout)
    assert where in json.dumps(told).replace('\\"', '"')
    shown = " ".join(machine.stockade("ann", "check", "odd", check=0).stdout.split())
    assert f'{where}:' in shown and "signed by it" in shown, shown
    machine.approve("ann")
    w = machine.start("ann")
    assert names(w) == {"echo"}
    assert "odd" in machine.stockade("ann", "ps", check=0).stdout
    w.end()


def test_lists_of_profiles_have_those_of_the_bundle(machine):
    machine.place(1, machine.odd())
    listed = json.loads(machine.stockade("ann", "check", "--json").stdout)
    assert [p["file"] for p in listed if p["name"] == "odd"] == ['/etc/stockade/bundle.json (profiles "odd")']
    assert "odd" in machine.stockade("ann", "check", "--names", check=0).stdout.split()
    assert "did you mean 'odd'" in machine.stockade("ann", "check", "odf").stderr


def test_a_profile_that_is_in_the_bundle_alone_is_linted_by_its_name(machine):
    machine.place(1, machine.odd(tools={"allow": ["echo"]}))
    found = json.loads(machine.stockade("ann", "profile", "lint", "--json", "odd", check=1).stdout)
    assert found["file"] == '/etc/stockade/bundle.json (profiles "odd")'
    rules = {f["rule"]: f["words"] for f in found["findings"]}
    assert "owner" in rules and "signed" not in rules and "format" not in rules, rules
    assert "cannot be seen" not in rules.get("code", ""), rules
    assert "there is no profile 'odf'" in machine.stockade("ann", "profile", "lint", "odf", check=125).stderr


def test_a_file_of_a_user_stands_in_for_no_profile_of_the_bundle_and_one_of_root_does(machine):
    machine.put("etc/policy.json", json.dumps({"stockade": 1}))
    machine.place(1, machine.odd(tools={"allow": ["echo"]}))
    own = f"{machine.base}/ann/.config/stockade/profiles"
    os.makedirs(own)
    with open(f"{own}/odd.json", "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, "name": "odd", "command": [*ODD, machine.mark]}, f)
    subprocess.run(["chown", "-R", "4242:4242", f"{machine.base}/ann"], check=True)
    shown = machine.stockade("ann", "check", "odd", check=0).stdout
    assert '/etc/stockade/bundle.json (profiles "odd")' in shown and own not in shown
    said = machine.stockade("ann", "check", "--profile", f"{own}/odd.json", check=125).stderr
    assert "no other file stands in for it" in said, said
    os.mkdir(f"{machine.base}/etc/profiles")
    machine.put("etc/profiles/odd.json", json.dumps({"stockade": 1, "name": "odd", "command": [*ODD, machine.mark]}))
    assert "/etc/stockade/profiles/odd.json" in machine.stockade("ann", "check", "--json", "odd", check=0).stdout


def test_pins_of_a_profile_of_the_bundle_are_those_of_the_bundle_and_no_others(machine):
    machine.place(1, machine.odd(pins="odd.pins"))
    said = machine.stockade("ann", "check", "odd", check=125).stderr
    assert "the bundle has none of that name" in said, said
    machine.place(2, machine.odd())
    machine.approve("ann")
    digest = machine.stockade("ann", "pin", "--print-digest", "odd", check=0).stdout.strip()
    machine.stockade("ann", "pin", "--digest", digest, "-o", f"{machine.work}/odd.pins", "odd", check=0)
    with open(f"{machine.work}/odd.pins", encoding="utf-8") as f:
        pins = f.read()
    machine.place(3, machine.odd(pins="odd.pins"), pins=[machine.file("odd.pins", pins)])
    machine.approve("ann")
    w = machine.start("ann")
    assert "echo" in names(w)
    w.end()
    lines = pins.splitlines(keepends=True)
    machine.place(4, machine.odd(pins="odd.pins"), pins=[machine.file("odd.pins", lines[0])])
    assert "is damaged" in machine.stockade("ann", "check", "odd", check=125).stderr


# --- groups ---


@pytest.mark.parametrize("policy, bundle, ann, ben", [
    ({}, {"mcp-dev": {"servers": ["odd"]}}, "all", None),
    ({}, {"mcp-dev": {"servers": ["odd"], "tools": ["echo"]}, "ben": {"servers": ["odd"]}}, "read", "all"),
    ({"mcp-dev": {"servers": ["odd"], "tools": ["echo", "big"]}}, {"mcp-dev": {"servers": ["odd"], "tools": ["ech*", "sleep"]}}, "read", None),
    ({"ben": {"servers": ["odd"]}}, {"mcp-dev": {"servers": ["odd"]}}, None, None),
    ({"ben": {"servers": ["odd"]}}, {"mcp-dev": {"servers": ["other"]}}, None, "all"),
])
def test_who_has_a_server_has_it_by_the_policys_groups_and_by_the_bundles(machine, policy, bundle, ann, ben):
    machine.put("etc/policy.json", json.dumps({"stockade": 1, "groups": policy}))
    machine.place(1, machine.odd(), groups=bundle)
    for user, has in (("ann", ann), ("ben", ben)):
        if not has:
            said = machine.stockade(user, "run", "odd", check=125).stderr
            assert "you are in none of them" in said, said
            continue
        machine.approve(user)
        w = machine.start(user)
        assert (names(w) == {"echo"}) == (has == "read"), names(w)
        w.end()


def test_groups_of_a_bundle_that_cannot_be_read_start_nothing(machine):
    machine.place(1, machine.odd(), groups={"mcp-dev": {"tools": ["echo"]}})
    assert 'without "servers"' in machine.stockade("ann", "check", "odd", check=125).stderr


# --- kill entries ---


def test_what_the_bundle_kills_does_not_start_for_any_user_and_a_newer_bundle_lifts_it(machine):
    machine.place(1, machine.odd(), kill=[KILL])
    for user in USERS:
        said = machine.stockade(user, "run", "odd", check=125).stderr
        assert "SEC-7" in said and "/etc/stockade/bundle.json (kill)" in said, said
        listed = json.loads(machine.stockade(user, "kills", "--json", check=0).stdout)
        assert [(e["source"], e["server"], e["why"]) for e in listed] == [("bundle", "odd", "SEC-7")]
        assert "by a newer bundle alone" in machine.stockade(user, "kills", check=0).stdout
        said = machine.stockade(user, "restore", "odd", check=125).stderr
        assert "whoever ships that bundle" in said, said
    assert "whoever ships that bundle" in machine.stockade("root", "restore", "odd", check=125).stderr
    machine.place(2, machine.odd())
    for user in USERS:
        machine.approve(user)
        assert machine.start(user).end() == 0


def test_a_kill_that_arrives_in_a_bundle_ends_the_sessions_of_all_users(machine):
    machine.place(1, machine.odd())
    running = []
    for user in USERS:
        machine.approve(user)
        running.append(machine.start(user))
    machine.place(2, machine.odd(), kill=[KILL])
    for w in running:
        assert w.wait() == 125 and b"SEC-7" in w.err, w.err


def test_a_kill_that_comes_with_what_sync_keeps_ends_a_session(machine):
    machine.place(1, machine.odd())
    machine.approve("ann")
    w = machine.start("ann")
    text = machine.bundle(2, profiles=[machine.odd()], kill=[KILL])
    new = f"{machine.base}/lib/bundle/current"
    os.makedirs(new, 0o755)
    machine.put("lib/bundle/current/bundle.json.minisig", machine.signature(text))
    machine.put("lib/bundle/current/bundle.json", text)
    assert w.wait() == 125 and b"SEC-7" in w.err, w.err


def test_a_tool_stays_killed_whatever_comes_but_a_newer_signed_bundle(machine):
    def free():
        return "echo" in names(w)

    machine.key("stranger", trusted=False)
    machine.place(4, machine.odd())
    old = {f: open(f"{machine.base}/etc/{f}", "rb").read() for f in ("bundle.json", "bundle.json.minisig")}
    machine.approve("ann")
    w = machine.start("ann")
    assert free()
    machine.place(5, machine.odd(), kill=[{**KILL, "tool": "echo"}])
    until(lambda: not free())
    etc = f"{machine.base}/etc"
    after = machine.bundle(6, profiles=[machine.odd()])

    def put(**files):
        for name, body in files.items():
            machine.put("etc/" + name.replace("_", "."), body)

    def half():
        put(bundle_json=after[:len(after) // 2])

    def unsigned():
        put(bundle_json=after)

    def by_a_stranger():
        put(bundle_json=after, bundle_json_minisig=machine.signature(after, "stranger"))

    def older():
        put(**{f.replace(".", "_"): body for f, body in old.items()})

    def a_link():
        put(elsewhere=after)
        os.unlink(f"{etc}/bundle.json")
        os.symlink("elsewhere", f"{etc}/bundle.json")
        put(bundle_json_minisig=machine.signature(after))
        os.chown(f"{etc}/bundle.json", *(USERS["ann"],) * 2, follow_symlinks=False)

    def none():
        os.unlink(f"{etc}/bundle.json")

    # What a session has seen shows in what it does with the next entry: root's, of another tool.
    for i, change in enumerate((half, unsigned, by_a_stranger, older, a_link, none)):
        change()
        os.makedirs(f"{etc}/kill.d", 0o755, exist_ok=True)
        mark = f"mark{i}"
        machine.put(f"etc/kill.d/tool.odd@{mark}.json", json.dumps({**KILL, "tool": mark}))
        until(lambda: f'"{mark}"' in log(machine, "ann"))  # pylint: disable=cell-var-from-loop
        assert not free(), change.__name__
    machine.place(6, machine.odd())
    until(free)
    w.end()


def log(machine, user):
    return machine.stockade(user, "audit", "show", "--json").stdout.replace(" ", "")


@pytest.mark.parametrize("entry", [{"stockade": 1, "server": "odd"}, {"stockade": 1, "server": 7}, {"stockade": 2, "server": "odd", "new": True}])
def test_a_damaged_entry_in_a_bundle_kills(machine, entry):
    machine.place(1, machine.odd())
    machine.approve("ann")
    w = machine.start("ann")
    machine.place(2, machine.odd(), kill=[entry])
    assert w.wait() == 125 and b"/etc/stockade/bundle.json (kill)" in w.err, w.err
    assert "/etc/stockade/bundle.json (kill)" in machine.stockade("ann", "run", "odd", check=125).stderr
    assert machine.stockade("ann", "kills", check=1).stdout


@contextlib.contextmanager
def opened(path):
    """How often that file was opened, as inotify(7) tells it."""
    libc, header = ctypes.CDLL(None, use_errno=True), struct.Struct("iIII")
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    # IN_OPEN and IN_CLOSE_NOWRITE: of two that are the same and follow one another the kernel tells once.
    assert fd >= 0 and libc.inotify_add_watch(fd, path.encode(), 0x20 | 0x10) >= 0

    def count():
        n = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                # Of a file that is watched itself no event has a name.
                n += sum(mask == 0x20 for _, mask, _, _ in header.iter_unpack(os.read(fd, 4096)))
        return n
    try:
        yield count
    finally:
        os.close(fd)


def test_a_launch_reads_the_bundle_once_and_its_session_again_when_it_changes(machine):
    machine.place(1, machine.odd())
    machine.approve("ann")
    path = f"{machine.base}/etc/bundle.json"
    # What was changed a moment ago may be changed once more unseen, and so is read again.
    until(lambda: time.time() - os.stat(path).st_ctime > 1)
    with opened(path) as count:
        for _ in range(2):
            with open(path, "rb"):
                pass
        assert count() == 2, "the control is not counted"
        w = machine.start("ann")
        assert "echo" in names(w)
        assert count() == 1
    machine.place(2, machine.odd(), kill=[{**KILL, "tool": "echo"}])
    until(lambda: "echo" not in names(w))
    w.end()


def test_a_bundle_that_does_not_verify_is_said_by_kills(machine):
    machine.place(1, machine.odd(), kill=[KILL])
    machine.put("etc/bundle.json", b"{")
    assert "may be missing here" in machine.stockade("ann", "kills", check=0).stderr


# --- keys that the kept one revokes ---


def test_a_key_that_the_kept_bundle_revokes_puts_no_newer_one_in_force_and_lifts_no_kill(machine):
    stolen = machine.key("release")
    machine.put("etc/policy.json", json.dumps({"stockade": 1, "signatures": {"need": 1, "of": ["it", "release"]}}))
    machine.place(4, machine.odd())
    machine.approve("ann")
    w = machine.start("ann")
    assert "echo" in names(w)
    revoked = [{"stockade": 1, "revoke": [{"key": stolen, "why": "the laptop was stolen"}]}]
    machine.place(5, machine.odd(), kill=[{**KILL, "tool": "echo"}], revocations=revoked)
    machine.sync()
    until(lambda: "echo" not in names(w))
    machine.place(6, machine.odd(tools={"deny": ["nothing"]}), key="release")
    os.makedirs(f"{machine.base}/etc/kill.d", 0o755)
    machine.put("etc/kill.d/tool.odd@seen.json", json.dumps({**KILL, "tool": "seen"}))
    until(lambda: '"seen"' in log(machine, "ann"))
    assert "echo" not in names(w), "the kill was lifted"
    w.end()
    shown = " ".join(machine.stockade("ann", "check", "odd", check=0).stdout.split())
    assert "version 5 is used" in shown and "'release' was revoked" in shown, shown
    w = machine.start("ann")
    assert "echo" not in names(w)
    w.end()
    assert "'release' was revoked" in machine.stockade("ann", "kills", check=0).stderr
    machine.place(6, machine.odd())
    w = machine.start("ann")
    assert "echo" in names(w)
    w.end()


# --- never back ---


def test_a_look_remembers_no_bundle_and_a_launch_does(machine):
    def seen():
        return sorted(f for _, _, files in os.walk(f"{machine.base}/ann") for f in files if f.startswith("@bundle."))

    machine.place(1, machine.odd())
    machine.approve("ann")
    machine.start("ann").end()
    assert seen() == ["@bundle.1"]
    machine.put("then.json", json.dumps({"stockade": 1}))
    os.chmod(f"{machine.base}/then.json", 0o644)
    machine.place(2, machine.odd())
    for words in (("check", "odd"), ("check",), ("approve", "--print-digest", "odd"), ("policy", "test", f"{machine.base}/then.json"), ("kills",)):
        machine.stockade("ann", *words)
        assert seen() == ["@bundle.1"], words
    # so that what was only looked at stops nothing
    machine.place(1, machine.odd())
    machine.start("ann").end()
    machine.place(2, machine.odd())
    machine.start("ann").end()
    assert seen() == ["@bundle.2"]


def test_a_machine_that_had_a_newer_bundle_takes_none_that_is_older_wherever_a_variable_points(machine):
    machine.place(1, machine.odd())
    old = {f: open(f"{machine.base}/etc/{f}", "rb").read() for f in ("bundle.json", "bundle.json.minisig")}
    machine.place(2, machine.odd(version=3))
    machine.approve("ann")
    machine.start("ann").end()
    for name, body in old.items():
        machine.put(f"etc/{name}", body)
    elsewhere = f"{machine.base}/ann/elsewhere"
    for env in ({}, {"XDG_STATE_HOME": elsewhere}, {"HOME": elsewhere}):
        os.makedirs(elsewhere, exist_ok=True)
        os.chown(elsewhere, USERS["ann"], USERS["ann"])
        said = machine.stockade("ann", "check", "odd", check=125, env=env).stderr
        assert "never goes back" in said, said
        shutil.rmtree(elsewhere)


@pytest.mark.parametrize("known", [True, False], ids=["in /etc/passwd", "of a directory service"])
def test_a_version_of_a_profile_never_goes_back_wherever_a_variable_points(machine, known):
    if not known:
        machine.put("passwd", f"root:x:0:0::{machine.base}/root:/bin/sh\n")
    machine.place(1, machine.odd(version=3))
    machine.approve("ann")
    machine.start("ann").end()
    machine.place(2, machine.odd(version=2))
    elsewhere = f"{machine.base}/ann/elsewhere"
    os.mkdir(elsewhere)
    os.chown(elsewhere, USERS["ann"], USERS["ann"])
    said = machine.stockade("ann", "check", "odd", check=125, env={"HOME": elsewhere}).stderr
    assert ("version 3" if known else "no home that root made") in said, said
    for env in ({}, {"XDG_STATE_HOME": elsewhere}):
        said = machine.stockade("ann", "check", "odd", check=125, env=env).stderr
        assert "version 3" in said, said
