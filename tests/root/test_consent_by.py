# SPDX-License-Identifier: Apache-2.0
"""Whose word starts a server: the policy's where who signed has bound what runs, root's where nobody else's counts.

The machine's /etc/stockade is the test's (test_policy.py), its keys are minisign's own (test_signatures.py).
"""
import ctypes
import hashlib
import json
import os
import platform
import pwd
import shutil
import struct
import subprocess
import tempfile
import threading
import time

import pytest
from integration.harness import STOCKADE, Wire, until
from root.test_policy import machine  # noqa: F401  pylint: disable=unused-import
from root.test_signatures import World, put

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

OTHER = pwd.getpwnam("stockade-test")
# What was seen is kept in the home that /etc/passwd names: here it is the test's.
AS = f'mount --bind "$0" /etc/stockade && mount --bind "$HOME" {OTHER.pw_dir} && exec setpriv --reuid={OTHER.pw_uid} --regid={OTHER.pw_gid} --clear-groups "$@"'
ASKED = "waiting for the user's approval"


class Fleet(World):
    def __init__(self, machine):  # noqa: F811  pylint: disable=redefined-outer-name
        super().__init__(machine)
        self.home = f"{self.person.base}/other"
        os.mkdir(self.home, 0o700)
        os.chown(self.home, OTHER.pw_uid, OTHER.pw_gid)
        self.env = {**{k: v for k, v in self.person.env.items() if not k.startswith("XDG_")}, "HOME": self.home,
                    "USER": OTHER.pw_name, "LOGNAME": OTHER.pw_name}

    def by(self, word, signatures=True, **more):
        self.machine.policy({"consent": {"by": word}, **({"signatures": {"need": 1, "of": ["release", "security"]}} if signatures else {}), **more})

    def words(self, *words):
        """The words of a command of a user's who is not root."""
        return ["unshare", "-m", "sh", "-c", AS, self.etc, STOCKADE, *words]

    def user(self, *words, check=None, **env):
        r = subprocess.run(self.words(*words), env={**self.env, **env}, cwd=self.person.work, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def asks(self, *words, **env):
        """It waits for an answer; what check says is missing."""
        words = words or ("notes",)
        r = self.user("run", *words, **env)
        assert ASKED in r.stderr and r.returncode == 125, f"{r.returncode} {r.stderr}"
        return " ".join(self.user("check", *words, check=0, **env).stdout.split())

    def records(self):
        return [json.loads(line) for line in self.user("audit", "show", "--json", check=0).stdout.splitlines()]

    def approvals(self):
        return json.loads(self.user("approvals", "--json", check=0).stdout)

    def digest(self, *words):
        return self.user("approve", "--print-digest", *(words or ["notes"]), check=0).stdout.strip()


@pytest.fixture
def fleet(machine):  # noqa: F811  pylint: disable=redefined-outer-name
    return Fleet(machine)


def test_a_signed_profile_with_code_of_root_starts_without_a_question_and_all_say_by_whose_word(fleet):
    fleet.by("ask")
    fleet.profile("release")
    fleet.asks()
    fleet.by("granted")
    told = " ".join(fleet.user("check", "notes", check=0).stdout.split())
    assert "policy approves it: nobody is asked" in told and '/etc/stockade/policy.json:1 (consent.by "granted")' in told, told
    assert 'through "policy"): it starts without a question' in told, told
    fleet.user("run", "notes", check=0)
    opened = [r for r in fleet.records() if r["event"] == "session.open"][-1]
    assert opened["channel"] == "policy" and opened["approval"] == fleet.digest()[:16], opened
    assert [(s["key"], s["id"]) for s in opened["detail"]["signers"]] == [("release", fleet.signers.id("release"))], opened
    kept = fleet.approvals()
    assert [(a["channel"], [s["key"] for s in a["signers"]]) for a in kept] == [("policy", ["release"])], kept
    # what is kept of it approves nothing by itself
    fleet.by("ask")
    fleet.asks()


def test_a_consent_record_says_who_had_signed_what_was_approved(fleet):
    fleet.by("ask")
    fleet.profile("release", "security")
    wire = Wire(fleet.machine.under("run", "notes"), env=fleet.person.env, cwd=fleet.person.work)
    assert until(lambda: ASKED in wire.err.decode())
    digest = fleet.machine.stockade("approve", "--print-digest", "notes", check=0).stdout.strip()
    fleet.machine.stockade("approve", "--digest", digest, check=0)
    wire.wait()
    said = [r for r in fleet.person.records() if r["event"] == "consent" and r.get("status") == "approved"]
    assert [s["key"] for s in said[-1]["detail"]["signers"]] == ["release", "security"], said


def test_granted_without_signatures_in_the_policy_is_an_error_in_words(fleet):
    fleet.by("granted", signatures=False)
    fleet.profile("release")
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and 'consent.by "granted")' in r.stderr and 'needs "signatures"' in r.stderr, r.stderr


def test_code_that_others_can_change_asks_until_its_digest_is_signed(fleet):
    fleet.by("granted")
    directory = f"{fleet.person.base}/code"
    os.mkdir(directory, 0o755)
    path = f"{directory}/server.py"
    put(path, "print('hello')\n", mode=0o755)
    os.chown(directory, OTHER.pw_uid, OTHER.pw_gid)
    os.chown(path, OTHER.pw_uid, OTHER.pw_gid)
    command = ["/usr/bin/python3", "-I", path]
    fleet.profile("release", command=command)
    told = fleet.asks()
    assert "policy would start it without a question, but: the code " + directory in told and "signed path is not signed code" in told, told
    lint = fleet.machine.stockade("profile", "lint", "/etc/stockade/profiles/notes.json").stdout
    assert "blake2b:" in lint, lint
    digest = lint.split("blake2b:", 1)[1].split('"', 1)[0]
    tree = lint.split('"code": { "', 1)[1].split('"', 1)[0]
    fleet.profile("release", command=command, code={tree: f"blake2b:{digest}"})
    fleet.user("run", "notes", check=0)
    put(path, "print('bye')\n", mode=0o755)
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "is not what the profile binds" in r.stderr, r.stderr


def test_what_a_person_adds_is_not_granted_and_values_of_parameters_are(fleet):
    fleet.by("granted")
    work = f"{fleet.person.work}/one"
    os.mkdir(work, 0o755)
    fleet.profile("release", parameters={"dir": {"type": "directory", "within": [fleet.person.work]}}, env={"pass": ["API_TOKEN"]},
                  filesystem={"read": ["${dir}"]})
    fleet.user("run", "--set", f"dir={work}", "notes", check=0)
    for option, value in (("--ro", work), ("--env", "API_TOKEN")):
        told = fleet.asks(option, value, "--set", f"dir={work}", "--profile", "/etc/stockade/profiles/notes.json")
        assert f"but: {option} stands on the command line" in told, told
    fleet.user("run", "--set", f"dir={work}", "--profile", "/etc/stockade/profiles/notes.json", check=0)
    assert "no profile" in fleet.asks("--", "/usr/bin/true")


def test_no_file_and_no_variable_of_the_users_makes_a_grant(fleet):
    """Each is a way to widen; the control is the same server, granted."""
    fleet.by("granted")
    fleet.profile("release", command=["true"])
    fleet.user("run", "notes", check=0)
    # a PATH chooses no program
    evil = f"{fleet.home}/bin"
    os.mkdir(evil, 0o755)
    shutil.copy("/bin/false", f"{evil}/true")
    shutil.copy("/bin/true", f"{evil}/elsewhere")
    fleet.user("run", "notes", check=0, PATH=f"{evil}:/usr/bin")
    fleet.profile("release", command=["elsewhere"])
    assert "found by the PATH of whoever started it alone" in fleet.asks(PATH=f"{evil}:/usr/bin")
    # not even one of root's
    os.chown(fleet.home, 0, 0)
    os.chmod(fleet.home, 0o755)
    for path in (evil, f"{evil}/elsewhere"):
        os.chown(path, 0, 0)
    state = f"{fleet.person.work}/state"
    os.mkdir(state)
    os.chown(state, OTHER.pw_uid, OTHER.pw_gid)
    env = {"XDG_STATE_HOME": state, "XDG_CONFIG_HOME": f"{state}/config"}
    assert "found by the PATH of whoever started it alone" in fleet.asks(PATH=f"{evil}:/usr/bin", **env)
    # a copy of a signed profile is not root's
    path = fleet.profile("release", name="other")
    copy = f"{state}/config/stockade/profiles"
    os.makedirs(copy)
    for name in os.listdir(f"{fleet.etc}/profiles"):
        if name.startswith("other"):
            shutil.move(f"{fleet.etc}/profiles/{name}", f"{copy}/{name}")
    subprocess.run(["chown", "-R", f"{OTHER.pw_uid}:{OTHER.pw_gid}", state], check=True)
    assert "is not a managed one" in fleet.asks("other", **env)
    assert "is not a managed one" in fleet.asks("--profile", f"{copy}/{os.path.basename(path)}", **env)
    # nor does an approval that says so
    fleet.profile("release", command=["/usr/bin/true"])
    fleet.user("run", "notes", check=0, **env)
    fleet.by("ask")
    fleet.asks(**env)
    kept = [f"{state}/stockade/approvals/{n}" for n in os.listdir(f"{state}/stockade/approvals")]
    assert kept
    for file in kept:
        with open(file, encoding="utf-8") as f:
            text = json.load(f)
        with open(file, "w", encoding="utf-8") as f:
            json.dump({**text, "channel": "admin"}, f)
    fleet.asks(**env)


def test_where_only_the_admin_approves_no_answer_of_the_users_starts_anything(fleet):
    fleet.by("ask", signatures=False)
    fleet.profile()
    digest = fleet.digest()
    fleet.user("approve", "--digest", digest, "notes", check=0)
    fleet.user("run", "notes", check=0)
    fleet.by("admin", signatures=False)
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "only who manages it approves servers" in r.stderr and digest in r.stderr, r.stderr
    assert '/etc/stockade/policy.json:1 (consent.by "admin")' in r.stderr and ASKED not in r.stderr, r.stderr
    r = fleet.user("approve", "--digest", digest, "notes")
    assert r.returncode == 125 and "only who manages it approves servers" in r.stderr, r.stderr
    assert fleet.user("pin", "--print-digest", "notes").returncode == 125
    assert "only who manages this machine can approve it" in fleet.user("check", "notes", check=0).stdout
    refused = [r for r in fleet.records() if r["event"] == "consent"][-1]
    assert refused["status"] == "not approved", refused


def test_a_client_hears_that_who_manages_the_machine_has_not_approved_it(fleet):
    fleet.by("admin", signatures=False)
    fleet.profile()
    wire = Wire(fleet.words("run", "notes"), env=fleet.env, cwd=fleet.person.work)
    answer = wire.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}})
    assert "who manages this machine has not approved it" in json.dumps(answer), answer
    wire.end()


def test_roots_approval_of_a_digest_starts_a_users_server_and_its_revocation_ends_that(fleet):
    fleet.by("admin", signatures=False)
    fleet.profile()
    digest = fleet.digest()
    # A name is that of root's own plan, which has another home in it.
    r = fleet.machine.stockade("approve", "--digest", digest, "notes")
    assert r.returncode == 125 and "to approve a user's, leave the name out" in r.stderr, r.stderr
    assert fleet.user("run", "notes").returncode == 125
    fleet.machine.stockade("approve", "--digest", digest, check=0)
    path = f"{fleet.etc}/approvals/{digest}.json"
    assert os.stat(path).st_uid == 0 and os.stat(path).st_mode & 0o777 == 0o644
    fleet.user("run", "notes", check=0)
    opened = [r for r in fleet.records() if r["event"] == "session.open"][-1]
    assert (opened["channel"], opened["approval"]) == ("admin", digest[:16]), opened
    assert [(a["channel"], a["user"]) for a in fleet.approvals()] == [("admin", "root")]
    # of that plan and no other
    assert fleet.user("run", "--", "/usr/bin/true").returncode == 125
    fleet.machine.stockade("approvals", "revoke", digest[:8], check=0)
    assert not os.path.exists(path) and fleet.user("run", "notes").returncode == 125


@pytest.mark.parametrize("spoil", ["owner", "mode", "digest", "json", "member"])
def test_an_approval_of_roots_that_is_damaged_or_not_roots_denies(fleet, spoil):
    fleet.by("admin", signatures=False)
    fleet.profile()
    digest = fleet.digest()
    good = {"stockade": 1, "digest": digest, "who": "it@example.com", "when": "2026-10-01T00:00:00Z"}
    text = {"digest": {**good, "digest": "0" * 64}, "json": "{", "member": {**good, "expires": "never"}}.get(spoil, good)
    path = put(f"{fleet.etc}/approvals/{digest}.json", good)
    fleet.user("run", "notes", check=0)
    put(path, text)
    if spoil == "owner":
        os.chown(path, OTHER.pw_uid, 0)
    if spoil == "mode":
        os.chmod(path, 0o666)
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "approves nothing" in r.stderr, r.stderr
    assert [a for a in fleet_approvals(fleet) if "damaged" in a]


def fleet_approvals(fleet):
    return json.loads(fleet.user("approvals", "--json", check=1).stdout)


def test_where_only_the_admin_approves_a_signed_and_bound_profile_needs_no_approval(fleet):
    fleet.by("admin")
    fleet.profile("release")
    fleet.user("run", "notes", check=0)
    assert [r for r in fleet.records() if r["event"] == "session.open"][-1]["channel"] == "policy"


RECORD = struct.Struct("<QQQqqqq32s")  # code_cache.h


def forge(old, cache, path):
    """What an honest look had kept of PATH is said of the PATH that is there now."""
    now = os.stat(path)
    with open(old, "rb") as f:
        head, body = struct.unpack("<QQ32s", f.read(48)), f.read()
    records = [list(r) for r in RECORD.iter_unpack(body)]
    mine = [r for r in records if r[:2] == [now.st_dev, now.st_ino]]
    for r in mine:
        r[2:7] = [now.st_size, *divmod(now.st_mtime_ns, 10**9), *divmod(now.st_ctime_ns, 10**9)]
    body = b"".join(RECORD.pack(*r) for r in records)
    with open(cache, "wb") as f:
        f.write(struct.pack("<QQ32s", *head[:2], hashlib.blake2b(body, digest_size=32).digest()) + body)
    return len(mine)


def test_where_only_the_admin_approves_no_file_of_the_users_vouches_for_code(fleet):
    directory = f"{fleet.person.base}/code"
    path = f"{directory}/server.py"
    put(path, "print('as it was approved')\n")
    for name in (directory, path):
        os.chown(name, OTHER.pw_uid, OTHER.pw_gid)
    command = ["/usr/bin/python3", "-I", path]
    fleet.by("ask", signatures=False)
    fleet.profile(command=command)
    time.sleep(4)  # CODE_SETTLE_S: nothing is kept of what has changed just now
    digest = fleet.digest()
    fleet.user("approve", "--digest", digest, "notes", check=0)
    fleet.by("admin", signatures=False)
    fleet.machine.stockade("approve", "--digest", digest, check=0)
    fleet.user("run", "notes", check=0)
    kept, old = (f"{fleet.home}/.local/state/stockade/{name}" for name in ("digests", "old"))
    shutil.copytree(kept, old)
    fleet.by("ask", signatures=False)
    with open(path, "w", encoding="utf-8") as f:
        f.write("import sys; sys.stderr.write('NOT WHAT WAS APPROVED\\n')\n")
    fleet.asks()

    def forged():
        assert sum(forge(f"{old}/{name}", f"{kept}/{name}", path) for name in os.listdir(old)) == 1
        subprocess.run(["chown", "-R", f"{OTHER.pw_uid}:{OTHER.pw_gid}", kept], check=True)

    # root's word counts beside the user's, and would be what the log names
    forged()
    fleet.asks()
    # the control: the file is believed where the answer is the user's alone
    fleet.machine.stockade("approvals", "revoke", digest[:16], check=0)
    forged()
    assert "NOT WHAT WAS APPROVED" in fleet.user("run", "notes", check=0).stderr
    fleet.by("admin", signatures=False)
    fleet.machine.stockade("approve", "--digest", digest, check=0)
    forged()  # the launch has kept nothing of what has changed just now
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "only who manages it approves servers" in r.stderr and "NOT WHAT" not in r.stderr, r.stderr


SITE = "import site, sys; sys.stderr.write(f'user site {site.ENABLE_USER_SITE}\\n')\n"
EVIL = "import sys; sys.stderr.write('CODE THAT NOBODY SIGNED\\n')\n"
USER_SITE = ".local/lib/python" + subprocess.run(["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], check=True,
                                                 stdout=subprocess.PIPE, text=True).stdout.strip() + "/site-packages"


def python_server(fleet, flag, alone=False, text=SITE, **more):
    """A server of the user's own in python, whose digest is signed; alone: that of the file, not of its directory."""
    path = put(f"{fleet.person.base}/code/server.py", text, mode=0o755)
    if not alone:
        put(f"{fleet.person.base}/code/setup.py", "", mode=0o644)
    for name in (path, os.path.dirname(path)):
        os.chown(name, OTHER.pw_uid, OTHER.pw_gid)
    command = ["/usr/bin/python3", flag, path]
    fleet.profile("release", command=command, **more)
    tree, digest = fleet.user("profile", "lint", "/etc/stockade/profiles/notes.json").stdout.split('"code": { "', 1)[1].split('"')[:3:2]
    fleet.profile("release", command=command, code={tree: digest}, **more)


def plant(home):
    """What an interpreter runs of a home before the first line of any program, and a control that it does."""
    put(f"{home}/{USER_SITE}/evil.pth", EVIL)
    r = subprocess.run(["/usr/bin/python3", "-P", "-c", ""], env={"HOME": home}, stderr=subprocess.PIPE, text=True, check=True)
    assert "CODE THAT NOBODY SIGNED" in r.stderr, r.stderr
    subprocess.run(["chown", "-R", f"{OTHER.pw_uid}:{OTHER.pw_gid}", f"{home}/.local"], check=True)


def test_code_in_a_home_that_is_kept_is_not_granted(fleet):
    fleet.by("granted")
    python_server(fleet, "-P", filesystem={"home": "private"})
    assert "user site False" in fleet.user("run", "notes", check=0).stderr
    home = f"{fleet.home}/.local/state/stockade/homes/notes"
    plant(home)
    told = fleet.asks()
    assert "'.local/lib' in the home that is kept can hold code" in told and "can rewrite" in told, told
    python_server(fleet, "-P", filesystem={"home": "empty"})
    assert "CODE THAT" not in fleet.user("run", "notes", check=0).stderr
    python_server(fleet, "-P", filesystem={"home": "private"})
    shutil.rmtree(f"{home}/.local")
    fleet.user("run", "notes", check=0)
    for place in (".node_modules", ".gem", ".zshenv"):
        os.mkdir(f"{home}/{place}")
        assert f"'{place}' in the home that is kept" in fleet.asks()
        os.rmdir(f"{home}/{place}")
    os.symlink("/tmp", f"{home}/.local")  # what it leads to is another thing inside
    assert "'.local/lib' in the home that is kept" in fleet.asks()


def test_code_in_a_home_that_a_grant_opens_is_not_granted(fleet):
    fleet.by("granted")
    plant(fleet.home)
    opened = {"filesystem": {"read": [f"{fleet.home}/.local/lib"]}}
    python_server(fleet, "-P", **opened)
    assert "'.local/lib' in the home is granted and can hold code" in fleet.asks()
    for flag, more in (("-I", {}), ("-P", {"env": {"set": {"PYTHONNOUSERSITE": "1"}}})):
        python_server(fleet, flag, **opened, **more)
        assert "CODE THAT" not in fleet.user("run", "notes", check=0).stderr


def test_roots_approval_starts_no_code_of_a_home_that_is_kept(fleet):
    fleet.by("admin", signatures=False)
    fleet.profile(command=["/usr/bin/python3", "-P", "-m", "platform"], filesystem={"home": "private"})
    fleet.machine.stockade("approve", "--digest", fleet.digest(), check=0)
    fleet.user("run", "notes")
    assert [r["channel"] for r in fleet.records() if r["event"] == "session.open"] == ["admin"]
    plant(f"{fleet.home}/.local/state/stockade/homes/notes")
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "in the home that is kept" in r.stderr and "CODE THAT" not in r.stderr, r.stderr


class Swapping:
    """Two files that change places as fast as a launch goes by."""

    def __init__(self, one, other):
        self.libc, self.paths, self.over = ctypes.CDLL(None), (one.encode(), other.encode()), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.004):
            assert self.libc.renameat2(-100, self.paths[0], -100, self.paths[1], 2) == 0  # RENAME_EXCHANGE

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_no_file_takes_the_place_of_the_one_whose_digest_is_signed(fleet):
    """The control is the interpreter itself, which runs now one and now the other."""
    fleet.by("granted")
    python_server(fleet, "-I", alone=True)
    path = f"{fleet.person.base}/code/server.py"
    other = put(f"{fleet.person.base}/other.py", EVIL)
    seen, direct = [], []
    with Swapping(path, other):
        for _ in range(60):
            seen.append(fleet.user("run", "notes"))
            direct.append(subprocess.run(["/usr/bin/python3", "-I", path], stderr=subprocess.PIPE, text=True, check=True).stderr)
    assert any("CODE THAT NOBODY" in text for text in direct) and any("user site" in text for text in direct)
    assert not [r.stderr for r in seen if "CODE THAT NOBODY" in r.stderr]
    refused = [r.stderr for r in seen if r.returncode == 125]
    assert refused and all("is not what the profile binds" in text or "was changed while it was looked at" in text or "it changed between" in text or "it was written to while it was read" in text
                           for text in refused), refused


PYTHON = ["/usr/bin/python3", "-m", "platform"]
LINKED = "which others than root can turn"


def users(fleet, path, text="", mode=0o755):
    """A file of the user's, in a directory that he may write."""
    directory = f"{fleet.person.work}/mine"
    os.makedirs(directory, exist_ok=True)
    put(f"{directory}/{path}", text, mode=mode)
    subprocess.run(["chown", "-R", f"{OTHER.pw_uid}:{OTHER.pw_gid}", directory], check=True)
    return f"{directory}/{path}"


@pytest.mark.parametrize("name, value", [
    ("PYTHONPATH", "{dir}"), ("PYTHONPATH", "/usr/lib:{dir}/not-there-yet"), ("NODE_OPTIONS", "--require {dir}/x.js"), ("BASH_ENV", "{dir}/x.sh"),
    ("LD_LIBRARY_PATH", "{dir}"),
])
def test_a_variable_that_names_code_of_the_users_is_not_granted(fleet, name, value):
    fleet.by("granted")
    evil = users(fleet, "sitecustomize.py", EVIL)
    directory = os.path.dirname(evil)
    granted = {"filesystem": {"read": [directory]}}
    value = value.replace("{dir}", directory)
    words = f"the variable {name} names code at '{directory}"
    fleet.profile("release", command=["/usr/bin/true"], env={"set": {name: "/usr/lib/nothing"}}, **granted)
    fleet.user("run", "notes", check=0)
    fleet.profile("release", command=["/usr/bin/true"], env={"set": {name: value}}, **granted)
    assert words in fleet.asks()
    fleet.profile("release", command=["/usr/bin/env", f"{name}={value}", "/usr/bin/true"], **granted)
    assert words in fleet.asks()
    # what the sandbox does not show is no code
    fleet.profile("release", command=["/usr/bin/true"], env={"set": {name: value}})
    fleet.user("run", "notes", check=0)


def test_code_of_the_users_that_a_variable_names_runs_by_nobodys_word(fleet):
    evil = users(fleet, "sitecustomize.py", EVIL)
    directory = os.path.dirname(evil)
    profile = {"command": PYTHON, "filesystem": {"read": [directory]}, "env": {"set": {"PYTHONPATH": directory}}}
    fleet.by("ask", signatures=False)
    fleet.profile(**profile)
    fleet.user("approve", "--digest", fleet.digest(), "notes", check=0)
    assert "CODE THAT NOBODY SIGNED" in fleet.user("run", "notes").stderr, "the control loads nothing"
    fleet.by("admin", signatures=False)
    fleet.machine.stockade("approve", "--digest", fleet.digest(), check=0)
    r = fleet.user("run", "notes")
    assert r.returncode == 125 and "CODE THAT" not in r.stderr, r.stderr
    fleet.by("granted")
    fleet.profile("release", **profile)
    assert "CODE THAT" not in fleet.asks()


def test_a_program_in_the_command_that_reads_a_file_of_the_users_is_not_granted(fleet):
    fleet.by("granted")
    evil = users(fleet, "p.py", EVIL)
    granted = {"filesystem": {"read": [os.path.dirname(evil)]}}
    fleet.profile("release", command=["/usr/bin/python3", "-I", "-c", "open('/etc/hostname').close()"], **granted)
    fleet.user("run", "notes", check=0)
    fleet.profile("release", command=["/usr/bin/python3", "-I", "-c", f"exec(open('{evil}').read())"], **granted)
    assert f"the program in the command names code at '{evil}'" in fleet.asks()


NOBODYS = "CODE THAT NOBODY SIGNED"
IN_NODE = f"process.stderr.write('{NOBODYS}')"


def runs_by_the_users_word_alone(fleet, **profile):
    """The control: approved by the user, who is asked, that profile runs what lies there. Then: nobody else's word does, and why."""
    fleet.by("ask", signatures=False)
    fleet.profile(**profile)
    fleet.user("approve", "--digest", fleet.digest(), "notes")
    said = fleet.user("run", "notes")
    if ASKED in said.stderr:  # such an answer is not remembered
        digest = fleet.digest()
        with subprocess.Popen(fleet.words("run", "notes"), env=fleet.env, cwd=fleet.person.work, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, text=True) as running:
            assert until(lambda: fleet.user("approve", "--digest", digest, "notes").returncode == 0)
            said = running.communicate(timeout=60)[1]
        assert NOBODYS in said, said
    else:
        assert NOBODYS in said.stderr, f"the control does not run it: {said.stderr}"
    shutil.rmtree(f"{fleet.home}/.local/state/stockade/approvals")
    fleet.by("granted")
    fleet.profile("release", **profile)
    told = fleet.asks()
    assert NOBODYS not in fleet.user("run", "notes").stderr
    return told


@pytest.mark.parametrize("command, text", [
    (["/usr/bin/python3", "-Ic", "exec(open('{file}').read())"], EVIL),
    (["/usr/bin/python3", "-uIc", "exec(open('{file}').read())"], EVIL),
    (["/usr/bin/node", "--print", "require('{file}')"], IN_NODE),
    (["/usr/bin/perl", "-M-strict", "-Mlib={dir}", "-Mp", "/etc/hostname"], f"print STDERR '{NOBODYS}'; exit 0; 1"),
    (["/usr/bin/awk", "-f", "{file}"], f'BEGIN {{ print "{NOBODYS}" > "/dev/stderr" }}'),
    (["/usr/bin/nice", "-n", "1", "/usr/bin/awk", "-f{file}"], f'BEGIN {{ print "{NOBODYS}" > "/dev/stderr" }}'),
    (["/usr/bin/make", "-s", "-f", "{file}"], f"all:\n\t@echo {NOBODYS} >&2\n"),
    (["/usr/bin/flock", "/tmp/lock", "/usr/bin/node", "{file}"], IN_NODE),
    (["/usr/bin/find", "/etc/hostname", "-exec", "/usr/bin/sh", "{file}", ";"], f"echo {NOBODYS} >&2"),
], ids=lambda x: " ".join(x[:2]) if isinstance(x, list) else "")
def test_a_file_of_the_users_that_the_words_of_a_program_have_run_is_not_granted(fleet, command, text):
    file = users(fleet, "p.pm", text)
    directory = os.path.dirname(file)
    command = [word.replace("{file}", file).replace("{dir}", directory) for word in command]
    told = runs_by_the_users_word_alone(fleet, command=command, filesystem={"read": [directory]})
    assert f"the program in the command names code at '{directory}" in told, told


def test_what_a_program_reads_is_granted_where_it_is_no_code(fleet):
    fleet.by("granted")
    data = users(fleet, "data", "text")
    for command in (["/usr/bin/cat", data], ["/usr/bin/python3", "-I", platform.__file__, "-c", data], ["/usr/bin/nice", "/usr/bin/cat", data],
                    ["/usr/bin/python3", "-I", "-m", "platform", data]):
        fleet.profile("release", command=command, filesystem={"read": [os.path.dirname(data)]})
        fleet.user("run", "notes", check=0)


PLATFORM = ["/usr/bin/python3", "-P", "-m", "platform"]


@pytest.mark.parametrize("name, at, grant", [
    ("HOME", "", "{dir}"), ("PYTHONPATH", "my code, at=home", "{named}"), ("PYTHONPATH", "", "{dir}/sitecustomize.py"), ("PYTHONUSERBASE", "my own", "{named}"),
])
def test_a_place_that_a_variable_names_by_the_way_is_not_granted(fleet, name, at, grant):
    directory = os.path.dirname(users(fleet, "sitecustomize.py", EVIL))
    named = f"{directory}/{at}" if at else directory
    site = f"{named}/.local" if name == "HOME" else named
    for path in (f"{named}/sitecustomize.py", f"{site}/{USER_SITE.removeprefix('.local/')}/evil.pth"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        put(path, EVIL)
    subprocess.run(["chown", "-R", f"{OTHER.pw_uid}:{OTHER.pw_gid}", directory], check=True)
    told = runs_by_the_users_word_alone(fleet, command=PLATFORM, env={"set": {name: named}},
                                        filesystem={"read": [grant.replace("{dir}", directory).replace("{named}", named)]})
    assert f"the variable {name} names code at '{directory}" in told, told


@pytest.mark.parametrize("name, file, command, value", [
    ("ZDOTDIR", ".zshenv", ["/usr/bin/zsh", "/usr/lib/os-release"], "{dir}"),
    ("XDG_CONFIG_HOME", "fish/config.fish", ["/usr/bin/fish", "-c", "true"], "{dir}"),
    ("MAKEFILES", "first.mk", ["/usr/bin/make", "-s", "-f", "/usr/lib/os-release"], "{dir}/first.mk"),
], ids=lambda x: x if isinstance(x, str) and x.isupper() else "")
def test_a_place_where_a_shell_or_make_looks_first_is_not_granted(fleet, name, file, command, value):
    text = f"x := $(shell echo {NOBODYS} >&2)\n" if name == "MAKEFILES" else f"echo {NOBODYS} >&2\n"
    directory = os.path.dirname(users(fleet, "data"))
    put(f"{directory}/{file}", text)
    told = runs_by_the_users_word_alone(fleet, command=command, env={"set": {name: value.replace("{dir}", directory)}}, filesystem={"read": [directory]})
    assert f"the variable {name} names code at '{directory}" in told, told


@pytest.fixture
def roots():
    """A directory that only root writes."""
    top = tempfile.mkdtemp(prefix="stockade-test-", dir="/opt")
    os.chmod(top, 0o755)
    yield top
    shutil.rmtree(top)


def test_a_home_that_a_grant_opens_is_looked_at_where_python_is_told_to_heed_no_variable(fleet, roots):  # pylint: disable=redefined-outer-name
    """-E leaves PYTHONNOUSERSITE out, by which it would not look there."""
    plant(fleet.home)
    script = put(f"{roots}/server.py", SITE, mode=0o755)
    shebang = put(f"{roots}/server", "#!/usr/bin/python3 -EB\n" + SITE, mode=0o755)
    profile = {"env": {"set": {"PYTHONNOUSERSITE": "1"}}, "filesystem": {"read": [f"{fleet.home}/.local/lib"]}}
    for command in (["/usr/bin/python3", "-E", script], [shebang]):
        told = runs_by_the_users_word_alone(fleet, command=command, **profile)
        assert "'.local/lib' in the home is granted and can hold code" in told, told


def test_a_link_in_roots_code_to_a_file_of_the_users_is_not_granted(fleet, roots):  # pylint: disable=redefined-outer-name
    mine = users(fleet, "plugin.py", EVIL)
    server = put(f"{roots}/server.py", "import os; exec(open(os.path.join(os.path.dirname(__file__), 'plugin.py')).read())", mode=0o755)
    put(f"{roots}/setup.py", "", mode=0o644)
    profile = {"command": ["/usr/bin/python3", "-I", server], "filesystem": {"read": [os.path.dirname(mine)]}}
    put(f"{roots}/plugin.py", "", mode=0o644)
    fleet.by("granted")
    fleet.profile("release", **profile)
    fleet.user("run", "notes", check=0)
    os.unlink(f"{roots}/plugin.py")
    os.symlink(mine, f"{roots}/plugin.py")
    told = runs_by_the_users_word_alone(fleet, **profile)
    assert f"a link in the code names code at '{mine}'" in told, told


def test_modules_beside_a_script_that_is_bound_alone_are_not_granted(fleet):
    """Neighbours that the script does not name: json imports re, and python looks for that beside the script first."""
    text = "import json\n"
    fleet.by("granted")
    directory = f"{fleet.person.base}/code"
    for flag, more in (("-B", {}), ("-I", {"filesystem": {"read": [directory]}})):
        os.makedirs(directory, exist_ok=True)
        python_server(fleet, flag, alone=True, text=text, **more)
        fleet.user("run", "notes", check=0)
    put(f"{directory}/re.py", EVIL)
    os.chown(f"{directory}/re.py", OTHER.pw_uid, OTHER.pw_gid)
    r = subprocess.run(["/usr/bin/python3", f"{directory}/server.py"], stderr=subprocess.PIPE, text=True, check=False)
    assert NOBODYS in r.stderr, r.stderr
    python_server(fleet, "-B", alone=True, text=text, filesystem={"read": [directory]})
    told = fleet.asks()
    assert f"python looks for modules beside '{directory}/server.py', which is granted" in told, told


@pytest.fixture(params=[False, True], ids=["on a disk", "served by a process"])
def place(request, fleet):  # pylint: disable=redefined-outer-name
    """A directory with a program, all of which is root's, or said to be by a process that serves it."""
    top = tempfile.mkdtemp(prefix="stockade-test-", dir="/opt")
    content, at = (f"{fleet.person.base}/content", f"{top}/at") if request.param else (f"{top}/at", None)
    os.makedirs(content)
    os.chmod(top, 0o755)
    shutil.copy("/usr/bin/true", f"{content}/server")
    if not request.param:
        yield f"{content}/server", False
    else:
        os.mkdir(at)
        subprocess.run(["mksquashfs", content, f"{top}/image", "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
        with subprocess.Popen(["squashfuse", "-f", "-o", "allow_other", f"{top}/image", at]) as server:
            until(lambda: os.path.ismount(at))
            yield f"{at}/server", True
            subprocess.run(["umount", at], check=True)
            server.wait(60)
    shutil.rmtree(top)


@pytest.mark.needs("fuse")
def test_what_a_process_of_a_users_says_of_its_files_is_not_granted(fleet, place):
    path, served = place
    assert os.stat(path).st_uid == 0 and os.stat(path).st_mode & 0o777 == 0o755
    fleet.by("granted")
    fleet.profile("release", command=[path])
    if served:
        assert f"the code {path} (program) can be changed by others than root" in fleet.asks()
    else:
        fleet.user("run", "notes", check=0)


@pytest.mark.parametrize("row", [
    ("the variable NODE_OPTIONS, which names code, is passed on as it comes", {"env": {"pass": ["NODE_OPTIONS"]}}),
    ("the interpreter looks for modules in its working directory", {"command": PYTHON, "cwd": "{dir}", "filesystem": {"read": ["{dir}"]}}),
    ("can rewrite its own code", {"command": PYTHON, "cwd": "{dir}", "filesystem": {"write": ["{dir}"]}}),
    (LINKED, {"command": ["/usr/bin/python3", "-I", "{dir}/link.py"]}),
    (LINKED, {"command": ["{dir}/tool"]}),
    (LINKED, {"command": ["/usr/bin/env", "{dir}/tool"]}),
], ids=lambda r: r[0][:24])
def test_each_way_by_which_other_code_could_run_is_asked_about(fleet, row):
    words, profile = row
    fleet.by("granted")
    directory = os.path.dirname(users(fleet, "data"))
    for name, target in (("link.py", platform.__file__), ("tool", "/usr/bin/true")):
        os.symlink(target, f"{directory}/{name}")
        os.chown(f"{directory}/{name}", OTHER.pw_uid, OTHER.pw_gid, follow_symlinks=False)
    fleet.profile("release", command=["/usr/bin/python3", "-I", "-m", "platform"])
    fleet.user("run", "notes", check=0)
    fleet.profile("release", **json.loads(json.dumps(profile).replace("{dir}", directory)))
    assert words in fleet.asks(NODE_OPTIONS="--no-warnings")
